! SPDX-License-Identifier: MIT
!> Last lines of the log: averages in Tinker's manner, and where the time went.
module fennix_log_closing
   use fennix_kinds, only : dp, i8
   use fennix_error, only : to_text
   use fennix_elements, only : symbol
   use fennix_timer, only : timer_accurate, timer_agree, timer_count, timer_exchange, timer_fast, timer_halo, &
      & timer_integrate, timer_output, timer_pairs, timer_startup, timer_total
   use fennix_observables, only : at_conserved, at_density, at_kinetic, at_potential, at_pressure, at_temperature, &
      & at_temperature_mid, at_total, at_volume, n_fixed, observables_type
   use fennix_averages, only : deviation
   use fennix_log_text, only : fixed, left, right
   use fennix_log_type, only : log_type, say
   use fennix_log_table, only : nanoseconds_per_day
   implicit none
   private
   public :: log_averages, log_closing

contains


!> Means of the samples; +/- is their standard deviation, as in Tinker
subroutine log_averages(self, obs)
   type(log_type), intent(in) :: self
   !> Tells which values mean something
   type(observables_type), intent(in) :: obs
   integer(i8) :: covered

   if (self%averages%n_samples == 0) return
   covered = self%averages%last_step - self%process_step
   call say(self, "")
   call say(self, " Average Values for the last " // to_text(covered) // " out of " // to_text(obs%step) &
      & // " Dynamics Steps (" // to_text(self%averages%n_samples) // " samples)")
   call say(self, "")
   call say(self, " " // left("Simulation Time", 20) // fixed(real(covered, dp)*self%dt, 17, 4) // " Picosecond")
   call average(self, "Total Energy", at_total, "Kcal/mole ", 4)
   call average(self, "Potential Energy", at_potential, "Kcal/mole ", 4)
   call average(self, "Kinetic Energy", at_kinetic, "Kcal/mole ", 4)
   call average(self, "Conserved Energy", at_conserved, "Kcal/mole ", 4)
   call average(self, "Temperature", at_temperature, "Kelvin    ", 2)
   if (obs%has_mid) call average(self, "Temperature (mid)", at_temperature_mid, "Kelvin    ", 2)
   if (obs%has_pressure) call average(self, "Pressure", at_pressure, "Atmosphere", 2)
   if (obs%periodic) then
      call average(self, "Density", at_density, "Grams/cc  ", 4)
      call average(self, "Volume", at_volume, "Angstrom^3", 2)
   end if
   call temperatures(self, obs)
end subroutine log_averages


!> " Total Energy            -45743.2378 Kcal/mole   (+/- 186.8453)"
subroutine average(self, label, place, unit, decimals)
   type(log_type), intent(in) :: self
   character(len=*), intent(in) :: label
   !> Index into all_values
   integer, intent(in) :: place
   character(len=*), intent(in) :: unit
   integer, intent(in) :: decimals

   call say(self, " " // left(label, 20) // fixed(self%averages%mean(place), 17, decimals) // " " // unit // "  (+/-" &
      & // fixed(deviation(self%averages, place), 12, decimals) // ")")
end subroutine average


!> Mean temperature of each element, on-step and mid-step
subroutine temperatures(self, obs)
   type(log_type), intent(in) :: self
   type(observables_type), intent(in) :: obs
   character(len=:), allocatable :: text
   integer :: iel, n_elements

   n_elements = size(obs%elements)
   text = right("on-step", 27)
   if (obs%has_mid) text = text // right("mid-step", 27)
   call say(self, "")
   call say(self, " Temperature by element, K" // text(16:))
   do iel = 1, n_elements
      text = " " // left(trim(symbol(obs%elements(iel))), 20) // spread_text(self, n_fixed + iel)
      if (obs%has_mid) text = text // spread_text(self, n_fixed + n_elements + iel)
      call say(self, text)
   end do
end subroutine temperatures


!> "  300.12 (+/-   12.34)"
function spread_text(self, place) result(text)
   type(log_type), intent(in) :: self
   !> Index into all_values
   integer, intent(in) :: place
   character(len=:), allocatable :: text

   text = fixed(self%averages%mean(place), 11, 2) // "  (+/-" // fixed(deviation(self%averages, place), 9, 2) // ")"
end function spread_text


!> Where the time went, how fast that is, and what the levels could give at best
subroutine log_closing(self, seconds, calls, reason)
   type(log_type), intent(in) :: self
   !> Of each timer, mean over the ranks
   real(dp), intent(in) :: seconds(timer_count)
   !> Of each timer on this rank
   integer(i8), intent(in) :: calls(timer_count)
   !> Why the run ended early, empty when it did not
   character(len=*), intent(in) :: reason
   integer, parameter :: parts(9) = [timer_accurate, timer_fast, timer_pairs, timer_halo, timer_exchange, timer_agree, &
      & timer_integrate, timer_output, timer_total]
   character(len=*), parameter :: labels(8) = [character(len=22) :: "accurate model", "fast model", "pair lists", &
      & "halo exchange", "feature exchange", "waiting, agreeing", "integration", "output"]
   real(dp) :: total
   integer(i8) :: n_steps
   integer :: k

   n_steps = max(0_i8, self%step - self%process_step)
   total = seconds(timer_total)
   call say(self, "")
   call say(self, " " // left("Where the time went", 22) // right("calls", 12) // right("ms/call", 14) &
      & // right("seconds", 14) // right("share", 10))
   do k = 1, size(labels)
      if (parts(k) == timer_fast .and. .not. self%two_level) cycle
      ! A rank on its own talks to nobody
      if (any(parts(k) == [timer_halo, timer_exchange, timer_agree]) .and. .not. self%n_ranks > 1) cycle
      call row(self, trim(labels(k)), calls(parts(k)), seconds(parts(k)), total)
   end do
   call row(self, "everything else", 0_i8, max(0.0_dp, total - sum(seconds(parts(:8)))), total)
   call row(self, "loop, outer steps", n_steps, total, total)
   call say(self, " " // left("start-up, apart", 22) // right("", 26) // fixed(seconds(timer_startup), 14, 3))
   if (n_steps > 0 .and. total > 0.0_dp) call speeds(self, seconds, calls, n_steps)
   call say(self, "")
   if (len_trim(reason) > 0) then
      call say(self, " pyfennix stopped at step " // to_text(self%step) // ": " // reason)
   else
      call say(self, " pyfennix is Exiting following Normal Termination")
   end if
end subroutine log_closing


subroutine row(self, label, calls, seconds, total)
   type(log_type), intent(in) :: self
   character(len=*), intent(in) :: label
   !> 0 = not counted
   integer(i8), intent(in) :: calls
   real(dp), intent(in) :: seconds, total
   character(len=:), allocatable :: text

   text = " " // left(label, 22)
   if (calls > 0) then
      text = text // right(to_text(calls), 12) // fixed(1000.0_dp*seconds/real(calls, dp), 14, 3)
   else
      text = text // repeat(" ", 26)
   end if
   text = text // fixed(seconds, 14, 3)
   if (total > 0.0_dp) text = text // fixed(100.0_dp*seconds/total, 8, 1) // " %"
   call say(self, text)
end subroutine row


!> ns/day of the whole and of each level alone, share outside the models, and what multiple time steps bring
subroutine speeds(self, seconds, calls, n_steps)
   type(log_type), intent(in) :: self
   real(dp), intent(in) :: seconds(timer_count)
   integer(i8), intent(in) :: calls(timer_count)
   integer(i8), intent(in) :: n_steps
   real(dp) :: total, time, accurate, fast, femtoseconds
   character(len=:), allocatable :: text

   total = seconds(timer_total)
   time = real(n_steps, dp)*self%dt
   text = " Speed " // speed_text(time, total) // " ns/day; accurate level alone " &
      & // speed_text(time, seconds(timer_accurate))
   if (self%two_level) text = text // ", fast level alone " // speed_text(time, seconds(timer_fast))
   call say(self, "")
   call say(self, text)
   text = " Outside the models " // percent(total - seconds(timer_accurate) - seconds(timer_fast), total) &
      & // " of the loop"
   if (self%n_ranks > 1) text = text // ", of which communication " // percent(seconds(timer_halo) &
      & + seconds(timer_exchange) + seconds(timer_agree), total)
   call say(self, text)
   if (.not. self%two_level .or. calls(timer_accurate) == 0 .or. calls(timer_fast) == 0) return
   accurate = seconds(timer_accurate)/real(calls(timer_accurate), dp)
   fast = seconds(timer_fast)/real(calls(timer_fast), dp)
   if (.not. min(accurate, fast) > 0.0_dp) return
   femtoseconds = 1000.0_dp*self%dt
   call say(self, " One accurate evaluation costs " // trim(adjustl(fixed(accurate/fast, 10, 2))) // " fast ones;" &
      & // " against one level at 1 fs: at best " &
      & // trim(adjustl(fixed(femtoseconds/(1.0_dp + self%n_substeps*fast/accurate), 8, 2))) &
      & // " times faster, here about " &
      & // trim(adjustl(fixed(femtoseconds*accurate*real(n_steps, dp)/total, 8, 2))))
end subroutine speeds


!> "3.25 %"
function percent(part, whole) result(text)
   real(dp), intent(in) :: part, whole
   character(len=:), allocatable :: text

   text = trim(adjustl(fixed(100.0_dp*part/whole, 8, 2))) // " %"
end function percent


!> ns/day
function speed_text(time, seconds) result(text)
   !> ps
   real(dp), intent(in) :: time
   real(dp), intent(in) :: seconds
   character(len=:), allocatable :: text

   text = trim(adjustl(fixed(nanoseconds_per_day(time, seconds), 12, 3)))
end function speed_text

end module fennix_log_closing
