! SPDX-License-Identifier: MIT
!> Errors as values: allocated means failed, the message is one sentence for the user.
module fennix_error
   implicit none
   private
   public :: error_type, fatal_error, to_text

   type :: error_type
      !> One sentence naming the file, line and keyword, and what was expected
      character(len=:), allocatable :: message
   end type error_type

   !> Shortest decimal text of a number, for messages
   interface to_text
      module procedure :: int_to_text
      module procedure :: int64_to_text
      module procedure :: real_to_text
   end interface to_text

contains


!> Allocate the error with its message
pure subroutine fatal_error(error, message)
   !> Error handle, allocated on return
   type(error_type), allocatable, intent(out) :: error
   !> One sentence for the user
   character(len=*), intent(in) :: message

   allocate(error)
   error%message = trim(message)
end subroutine fatal_error


pure function int_to_text(value) result(text)
   integer, intent(in) :: value
   character(len=:), allocatable :: text
   character(len=16) :: buffer

   write(buffer, "(i0)") value
   text = trim(buffer)
end function int_to_text


pure function int64_to_text(value) result(text)
   use fennix_kinds, only : i8
   integer(i8), intent(in) :: value
   character(len=:), allocatable :: text
   character(len=24) :: buffer

   write(buffer, "(i0)") value
   text = trim(buffer)
end function int64_to_text


!> Up to seven significant digits, without trailing zeros: 0.001, 300, 18.643
pure function real_to_text(value) result(text)
   use fennix_kinds, only : dp
   real(dp), intent(in) :: value
   character(len=:), allocatable :: text
   character(len=32) :: buffer
   integer :: last

   if (value == 0.0_dp) then
      text = "0"
   else if (abs(value) >= 1.0e-4_dp .and. abs(value) < 1.0e7_dp) then
      write(buffer, "(f24.7)") value
      buffer = adjustl(buffer)
      last = len_trim(buffer)
      do while (buffer(last:last) == "0")
         last = last - 1
      end do
      if (buffer(last:last) == ".") last = last - 1
      text = buffer(1:last)
      if (text(1:1) == ".") text = "0" // text
   else
      write(buffer, "(es14.6)") value
      text = trim(adjustl(buffer))
   end if
end function real_to_text

end module fennix_error
