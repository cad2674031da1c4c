! SPDX-License-Identifier: MIT
!> A seed for runs that state none.
module fennix_seed
   use, intrinsic :: iso_c_binding, only : c_int
   use fennix_kinds, only : i8
   implicit none
   private
   public :: draw_seed

   interface
      !> POSIX: number of this process
      function getpid() bind(c) result(pid)
         import :: c_int
         implicit none
         integer(c_int) :: pid
      end function getpid
   end interface

contains


!> A number from 1 to 2147483646, from the date, the finest clock and the process number
function draw_seed() result(seed)
   integer(i8) :: seed
   integer(i8), parameter :: modulus = 2147483647_i8
   integer :: date(8), k
   integer(i8) :: ticks

   call date_and_time(values=date)
   call system_clock(ticks)
   seed = modulo(ticks, modulus)
   ! A linear congruential mix: products stay below 2**63
   do k = 1, size(date)
      seed = modulo(seed*48271_i8 + abs(date(k)) + 1, modulus)
   end do
   seed = modulo(seed*48271_i8 + int(getpid(), i8), modulus - 1) + 1
end function draw_seed

end module fennix_seed
