! SPDX-License-Identifier: MIT
!> Questions on a terminal for what Tinker asks: steps, time step, time between frames.
module fennix_prompt
   use, intrinsic :: iso_c_binding, only : c_int
   use, intrinsic :: iso_fortran_env, only : input_unit, output_unit
   use fennix_keyfile, only : entry_type, parse_keyfile
   use fennix_error, only : error_type
   implicit none
   private
   public :: is_terminal, ask

   interface
      !> POSIX: 1 when a file descriptor is a terminal
      function isatty(descriptor) bind(c) result(yes)
         import :: c_int
         implicit none
         integer(c_int), value :: descriptor
         integer(c_int) :: yes
      end function isatty
   end interface

contains


!> True when standard input is a terminal
function is_terminal()
   logical :: is_terminal

   is_terminal = isatty(0_c_int) == 1
end function is_terminal


!> Ask for the value of a keyword; an empty answer leaves the default
subroutine ask(entries, question, keyword, error)
   !> Grows by the answer
   type(entry_type), allocatable, intent(inout) :: entries(:)
   character(len=*), intent(in) :: question
   character(len=*), intent(in) :: keyword
   type(error_type), allocatable, intent(out) :: error
   type(entry_type), allocatable :: answered(:)
   character(len=80) :: answer
   integer :: status

   write(output_unit, "(a)", advance="no") question
   flush(output_unit)
   read(input_unit, "(a)", iostat=status) answer
   if (status /= 0 .or. len_trim(answer) == 0) return
   call parse_keyfile(answered, keyword // " " // trim(answer), "answer", error)
   if (.not. allocated(error)) entries = [entries, answered]
end subroutine ask

end module fennix_prompt
