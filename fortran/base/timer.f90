! SPDX-License-Identifier: MIT
!> Wall-clock time by purpose, cheap enough for the inner loop.
module fennix_timer
   use fennix_kinds, only : dp, i8
   implicit none
   private
   public :: timer_type
   public :: timer_total, timer_startup, timer_accurate, timer_fast, timer_pairs, timer_halo, timer_integrate, &
      & timer_output, timer_exchange, timer_agree, timer_count

   !> What is timed: the loop as a whole, what comes before it, and the parts of the loop
   integer, parameter :: timer_total = 1, timer_startup = 2, timer_accurate = 3, timer_fast = 4, timer_pairs = 5, &
      & timer_halo = 6, timer_integrate = 7, timer_output = 8
   !> Features exchanged inside an evaluation, and reductions, in which ranks also wait for each other
   integer, parameter :: timer_exchange = 9, timer_agree = 10
   integer, parameter :: timer_count = 10

   !> Accumulating clocks; one clock may run inside another, each measures its own span
   type :: timer_type
      private
      !> Clock reading at the last start, ticks, (timer_count)
      integer(i8) :: since(timer_count) = 0
      !> Accumulated, ticks
      integer(i8) :: ticks(timer_count) = 0
      !> Completed spans
      integer(i8) :: spans(timer_count) = 0
      logical :: running(timer_count) = .false.
   contains
      procedure :: start
      procedure :: stop => stop_clock
      procedure :: add
      procedure :: seconds
      procedure :: calls
      procedure :: reset
   end type timer_type

contains


!> Start a clock; one that runs already goes on
subroutine start(self, id)
   class(timer_type), intent(inout) :: self
   !> One of timer_*
   integer, intent(in) :: id

   if (self%running(id)) return
   self%running(id) = .true.
   call system_clock(self%since(id))
end subroutine start


!> Stop a clock and count one span; nothing happens when it does not run
subroutine stop_clock(self, id)
   class(timer_type), intent(inout) :: self
   !> One of timer_*
   integer, intent(in) :: id
   integer(i8) :: now

   if (.not. self%running(id)) return
   call system_clock(now)
   self%ticks(id) = self%ticks(id) + now - self%since(id)
   self%spans(id) = self%spans(id) + 1
   self%running(id) = .false.
end subroutine stop_clock


!> Add spans that were measured elsewhere
subroutine add(self, id, ticks, spans)
   class(timer_type), intent(inout) :: self
   !> One of timer_*
   integer, intent(in) :: id
   !> Of system_clock with integer(i8)
   integer(i8), intent(in) :: ticks
   integer, intent(in) :: spans

   self%ticks(id) = self%ticks(id) + ticks
   self%spans(id) = self%spans(id) + spans
end subroutine add


!> Accumulated seconds, the span that runs now included
function seconds(self, id)
   class(timer_type), intent(in) :: self
   !> One of timer_*
   integer, intent(in) :: id
   real(dp) :: seconds
   integer(i8) :: now, rate, ticks

   call system_clock(now, rate)
   ticks = self%ticks(id)
   if (self%running(id)) ticks = ticks + now - self%since(id)
   seconds = real(ticks, dp)/real(rate, dp)
end function seconds


!> Completed spans
pure function calls(self, id)
   class(timer_type), intent(in) :: self
   !> One of timer_*
   integer, intent(in) :: id
   integer(i8) :: calls

   calls = self%spans(id)
end function calls


!> Forget everything but the start-up: what ran before the loop (first forces, lists) is not part of it
subroutine reset(self)
   class(timer_type), intent(inout) :: self
   type(timer_type) :: fresh

   fresh%since(timer_startup) = self%since(timer_startup)
   fresh%ticks(timer_startup) = self%ticks(timer_startup)
   fresh%spans(timer_startup) = self%spans(timer_startup)
   fresh%running(timer_startup) = self%running(timer_startup)
   select type (self)
   type is (timer_type)
      self = fresh
   end select
end subroutine reset

end module fennix_timer
