! SPDX-License-Identifier: MIT
!> Clocks: they add up, count, run inside one another, and forget all but the start-up.
module test_timer
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_timer, only : timer_accurate, timer_count, timer_exchange, timer_fast, timer_startup, timer_total, &
      & timer_type
   use report_samples, only : fail_if
   implicit none
   private
   public :: test_timer_adds_up, test_timer_reset, test_timer_add

contains


!> Two spans of 20 ms inside one outer span
subroutine test_timer_adds_up(error)
   type(error_type), allocatable, intent(out) :: error
   type(timer_type) :: timer
   integer :: k

   call timer%start(timer_total)
   do k = 1, 2
      call timer%start(timer_accurate)
      call wait_for(0.02_dp)
      call timer%stop(timer_accurate)
   end do
   call timer%stop(timer_fast)
   call fail_if(timer%calls(timer_accurate) /= 2, "two spans are not counted as two", error)
   call fail_if(timer%calls(timer_fast) /= 0, "a clock that never ran has a span", error)
   call fail_if(timer%calls(timer_total) /= 0, "a running clock has a completed span", error)
   call fail_if(timer%seconds(timer_accurate) < 0.04_dp, "two spans of 20 ms are less than 40 ms", error)
   call fail_if(timer%seconds(timer_total) < timer%seconds(timer_accurate), &
      & "the running outer clock shows less than the inner one", error)
   call timer%start(timer_total)
   call timer%stop(timer_total)
   call fail_if(timer%calls(timer_total) /= 1, "starting a running clock began a second span", error)
   call fail_if(timer%seconds(timer_total) < 0.04_dp, "starting a running clock lost its time", error)
end subroutine test_timer_adds_up


!> What came before the loop is forgotten, the start-up is not
subroutine test_timer_reset(error)
   type(error_type), allocatable, intent(out) :: error
   type(timer_type) :: timer

   call timer%start(timer_startup)
   call timer%start(timer_accurate)
   call wait_for(0.01_dp)
   call timer%stop(timer_accurate)
   call timer%stop(timer_startup)
   call timer%reset()
   call fail_if(timer%calls(timer_accurate) /= 0 .or. timer%seconds(timer_accurate) > 0.0_dp, &
      & "reset kept a clock of the loop", error)
   call fail_if(timer%calls(timer_startup) /= 1 .or. timer%seconds(timer_startup) < 0.01_dp, &
      & "reset lost the start-up", error)
end subroutine test_timer_reset


!> Spans measured elsewhere are moved from one clock to another, whether it runs or not, and reset forgets them
subroutine test_timer_add(error)
   type(error_type), allocatable, intent(out) :: error
   type(timer_type) :: timer
   integer(i8) :: rate
   real(dp) :: before
   integer :: k

   call system_clock(count_rate=rate)
   call timer%start(timer_accurate)
   call wait_for(0.01_dp)
   call timer%stop(timer_accurate)
   before = timer%seconds(timer_accurate)
   call timer%add(timer_accurate, -rate, 0)
   call timer%add(timer_exchange, rate, 3)
   call timer%add(timer_exchange, 2*rate, 0)
   call fail_if(abs(timer%seconds(timer_accurate) - (before - 1.0_dp)) > 1.0e-6_dp, "a second was not taken off", error)
   call fail_if(timer%calls(timer_accurate) /= 1, "taking time off changed the number of spans", error)
   call fail_if(abs(timer%seconds(timer_exchange) - 3.0_dp) > 1.0e-6_dp, "added spans do not add up", error)
   call fail_if(timer%calls(timer_exchange) /= 3, "three added spans are not counted as three", error)
   do k = 1, timer_count
      if (any(k == [timer_accurate, timer_exchange])) cycle
      call fail_if(timer%calls(k) /= 0 .or. abs(timer%seconds(k)) > 0.0_dp, "adding changed another clock", error)
   end do
   call timer%start(timer_total)
   call timer%add(timer_total, rate, 1)
   call timer%stop(timer_total)
   call fail_if(timer%calls(timer_total) /= 2 .or. timer%seconds(timer_total) < 1.0_dp .or. &
      & timer%seconds(timer_total) > 2.0_dp, "adding to a running clock", error)
   call timer%reset()
   call fail_if(timer%calls(timer_exchange) /= 0 .or. abs(timer%seconds(timer_exchange)) > 0.0_dp, &
      & "reset kept what was added", error)
end subroutine test_timer_add


subroutine wait_for(seconds)
   real(dp), intent(in) :: seconds
   integer(i8) :: begin, now, rate

   call system_clock(begin, rate)
   now = begin
   do while (real(now - begin, dp) < seconds*real(rate, dp))
      call system_clock(now)
   end do
end subroutine wait_for

end module test_timer
