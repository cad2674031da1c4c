! SPDX-License-Identifier: MIT
!> Numbers and times as text of a given width, for the log.
module fennix_log_text
   use fennix_kinds, only : dp, i8
   use fennix_error, only : to_text
   implicit none
   private
   public :: fixed, right, left, duration, date_text

contains


!> Right-aligned decimal; gives up decimals, then the fixed point, rather than the number
pure function fixed(value, width, decimals) result(text)
   real(dp), intent(in) :: value
   integer, intent(in) :: width, decimals
   character(len=width) :: text
   character(len=16) :: format
   integer :: places

   do places = decimals, 0, -1
      write(format, "(a, i0, a, i0, a)") "(f", width, ".", places, ")"
      write(text, format) value
      if (index(text, "*") == 0) return
   end do
   write(format, "(a, i0, a, i0, a)") "(es", width, ".", max(0, width - 8), ")"
   write(text, format) value
end function fixed


!> Text at the right end of a field, or longer than it
pure function right(text, width) result(field)
   character(len=*), intent(in) :: text
   integer, intent(in) :: width
   character(len=:), allocatable :: field

   field = repeat(" ", max(0, width - len_trim(text))) // trim(text)
end function right


!> Text at the left end of a field, or longer than it
pure function left(text, width) result(field)
   character(len=*), intent(in) :: text
   integer, intent(in) :: width
   character(len=:), allocatable :: field

   field = trim(text) // repeat(" ", max(0, width - len_trim(text)))
end function left


!> "42s", "3m05s", "2h07m", "5d03h"
pure function duration(seconds) result(text)
   real(dp), intent(in) :: seconds
   character(len=:), allocatable :: text
   character(len=2) :: tail
   integer(i8) :: whole

   if (.not. abs(seconds) < 3.0e9_dp) then
      text = "-"
      return
   end if
   whole = nint(max(0.0_dp, seconds), i8)
   if (whole < 60) then
      text = to_text(whole) // "s"
   else if (whole < 3600) then
      write(tail, "(i2.2)") mod(whole, 60_i8)
      text = to_text(whole/60) // "m" // tail // "s"
   else if (whole < 86400) then
      write(tail, "(i2.2)") mod(whole/60, 60_i8)
      text = to_text(whole/3600) // "h" // tail // "m"
   else
      write(tail, "(i2.2)") mod(whole/3600, 24_i8)
      text = to_text(whole/86400) // "d" // tail // "h"
   end if
end function duration


!> "2026-11-21 07:42:06 +0000"
function date_text() result(text)
   character(len=:), allocatable :: text
   character(len=8) :: date
   character(len=10) :: time
   character(len=5) :: zone

   call date_and_time(date, time, zone)
   text = date(1:4) // "-" // date(5:6) // "-" // date(7:8) // " " // time(1:2) // ":" // time(3:4) // ":" &
      & // time(5:6) // " " // zone
end function date_text

end module fennix_log_text
