! SPDX-License-Identifier: MIT
!> What the wrapped procedures of api.f90 share: settings from text, handles, errors as status and message.
module fennix_api_support
   use, intrinsic :: iso_c_binding, only : c_f_pointer, c_loc
   use fennix_kinds, only : dp, i8
   use fennix_c_interop, only : to_address, to_pointer
   use fennix_error, only : error_type, fatal_error
   use fennix_simulation, only : simulation_type
   implicit none
   private
   public :: settings_from_text, text_of, copy_array, replace_array, report
   public :: from_handle, to_handle

contains


!> Settings from a command line and the text of a keyfile, validated by the code that serves the executable
subroutine settings_from_text(settings, words, key_text, key_given, output, has_arrays, error)
   use fennix_arguments, only : arguments_type, parse_arguments
   use fennix_interpret, only : read_settings
   use fennix_settings, only : settings_type
   use fennix_strings, only : string_type
   type(settings_type), intent(out) :: settings
   character(len=*), intent(in) :: words
   character(len=*), intent(in) :: key_text
   integer, intent(in) :: key_given
   !> Files are named after it; empty = no file is written
   character(len=*), intent(in) :: output
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
   arguments%embedded = .true.
   arguments%has_arrays = has_arrays /= 0
   if (key_given /= 0) then
      call read_settings(settings, arguments, error, key_text)
   else
      call read_settings(settings, arguments, error)
   end if
   if (allocated(error)) return
   settings%name = output
   settings%archive = settings%archive .and. len(output) > 0
   settings%h5md = settings%h5md .and. len(output) > 0
   settings%restart_files = settings%restart_files .and. len(output) > 0
end subroutine settings_from_text


!> One of the texts that text_length names; empty for an unknown name
function text_of(sim, what) result(text)
   use fennix_observables, only : observable_names
   use fennix_host_facts, only : host_text
   type(simulation_type), intent(in) :: sim
   character(len=*), intent(in) :: what
   character(len=:), allocatable :: text

   select case (what)
   case ("host")
      text = host_text(sim%settings)
   case ("observables")
      text = ""
      if (allocated(sim%obs%elements)) text = observable_names(sim%obs)
   case ("stop")
      text = ""
      if (allocated(sim%stop_reason)) text = sim%stop_reason
   case default
      text = ""
   end select
end function text_of


!> Copy of an array of the simulation by name, (3, n)
subroutine copy_array(sim, name, values, error)
   type(simulation_type), intent(in) :: sim
   character(len=*), intent(in) :: name
   real(dp), intent(inout) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error

   select case (name)
   case ("position")
      values = sim%atoms%position
   case ("velocity")
      values = sim%atoms%velocity
   case ("force")
      values = sim%ladder%levels(1)%forces
   case ("force_fast")
      values = sim%ladder%levels(size(sim%ladder%levels))%forces
   case default
      call fatal_error(error, "there is no array named " // name)
   end select
end subroutine copy_array


!> Replace positions or velocities; forces and observables follow
subroutine replace_array(sim, name, values, error)
   use fennix_ladder, only : evaluate_all
   use fennix_run_state, only : measure
   type(simulation_type), intent(inout) :: sim
   character(len=*), intent(in) :: name
   real(dp), intent(in) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: before(:, :)

   select case (name)
   case ("position")
      before = sim%atoms%position
      sim%atoms%position = values
      call evaluate_all(sim%ladder, sim%atoms, sim%cell, sim%motion, sim%timer, error)
      if (allocated(error)) sim%atoms%position = before
   case ("velocity")
      sim%atoms%velocity = values
   case default
      call fatal_error(error, "there is no array named " // name // " that can be set")
   end select
   if (.not. allocated(error)) call measure(sim)
end subroutine replace_array


!> Error value to status and text
subroutine report(error, stat, message)
   type(error_type), allocatable, intent(in) :: error
   integer, intent(out) :: stat
   character(len=*), intent(out) :: message
   integer :: length

   stat = 0
   message = ""
   if (.not. allocated(error)) return
   stat = 1
   length = min(len(error%message), len(message))
   if (length < len(error%message)) then
      ! A character of several bytes must not be cut in two: 10xxxxxx continues one
      do while (iand(iachar(error%message(length + 1:length + 1)), 192) == 128)
         length = length - 1
      end do
   end if
   message = error%message(:length)
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

end module fennix_api_support
