! SPDX-License-Identifier: MIT
!> What the wrapped procedures of api.f90 share: settings from text, handles, errors as status and message.
module fennix_api_support
   use, intrinsic :: iso_c_binding, only : c_f_pointer, c_intptr_t, c_loc, c_null_ptr, c_ptr
   use fennix_kinds, only : i8
   use fennix_error, only : error_type
   use fennix_simulation, only : simulation_type
   implicit none
   private
   public :: settings_from_text, text_of, report, from_handle, to_handle, to_pointer, to_address

contains


!> Settings from a command line and the text of a keyfile, validated by the code that serves the executable
subroutine settings_from_text(settings, words, key_text, key_given, has_arrays, error)
   use fennix_arguments, only : arguments_type, parse_arguments
   use fennix_interpret, only : read_settings
   use fennix_settings, only : settings_type
   use fennix_strings, only : string_type
   type(settings_type), intent(out) :: settings
   character(len=*), intent(in) :: words
   character(len=*), intent(in) :: key_text
   integer, intent(in) :: key_given
   integer, intent(in) :: has_arrays
   type(error_type), allocatable, intent(out) :: error
   type(arguments_type) :: arguments
   type(string_type), allocatable :: list(:)
   integer :: begin, width

   allocate(list(0))
   begin = 1
   do while (begin <= len(words))
      width = index(words(begin:), new_line("a")) - 1
      if (width < 0) width = len(words) - begin + 1
      list = [list, string_type(words(begin:begin + width - 1))]
      begin = begin + width + 1
   end do
   call parse_arguments(arguments, list, error)
   if (allocated(error)) return
   arguments%from_python = .true.
   arguments%has_arrays = has_arrays /= 0
   if (key_given /= 0) then
      call read_settings(settings, arguments, error, key_text)
   else
      call read_settings(settings, arguments, error)
   end if
end subroutine settings_from_text


!> One of the texts that text_length names; empty for an unknown name
function text_of(sim, what) result(text)
   use fennix_observables, only : observable_names
   use fennix_simulation, only : host_text
   type(simulation_type), intent(in) :: sim
   character(len=*), intent(in) :: what
   character(len=:), allocatable :: text

   text = ""
   select case (what)
   case ("host")
      call host_text(sim, text)
   case ("observables")
      if (allocated(sim%obs%elements)) text = observable_names(sim%obs)
   case ("stop")
      if (allocated(sim%stop_reason)) text = sim%stop_reason
   end select
end function text_of


!> Error value to status and text
subroutine report(error, stat, message)
   type(error_type), allocatable, intent(in) :: error
   integer, intent(out) :: stat
   character(len=*), intent(out) :: message

   stat = 0
   message = ""
   if (.not. allocated(error)) return
   stat = 1
   message = error%message
end subroutine report


!> The simulation behind a handle
function from_handle(handle) result(sim)
   integer(i8), intent(in) :: handle
   type(simulation_type), pointer :: sim

   call c_f_pointer(to_pointer(handle), sim)
end function from_handle


!> The handle of a simulation
function to_handle(sim) result(handle)
   type(simulation_type), pointer, intent(in) :: sim
   integer(i8) :: handle

   handle = to_address(c_loc(sim))
end function to_handle


!> A pointer from its address
pure function to_pointer(address) result(pointer)
   integer(i8), intent(in) :: address
   type(c_ptr) :: pointer

   pointer = transfer(int(address, c_intptr_t), c_null_ptr)
end function to_pointer


!> The address of a pointer
pure function to_address(pointer) result(address)
   type(c_ptr), intent(in) :: pointer
   integer(i8) :: address

   address = int(transfer(pointer, 0_c_intptr_t), i8)
end function to_address

end module fennix_api_support
