! SPDX-License-Identifier: MIT
!> The table of the log: one line per reported step, with progress, speed and remaining time.
module fennix_log_table
   use fennix_kinds, only : dp, i8
   use fennix_error, only : to_text
   use fennix_timer, only : timer_total, timer_type
   use fennix_observables, only : observables_type
   use fennix_averages, only : add_sample
   use fennix_log_text, only : duration, fixed, right
   use fennix_log_type, only : log_type, say
   implicit none
   private
   public :: log_begin, log_due, log_sample, log_line, log_minimize_head, log_minimize, nanoseconds_per_day

   !> Lines between two heads
   integer, parameter :: lines_per_head = 50

contains


!> A call of run begins at these observables and is to reach last_step
subroutine log_begin(self, obs, last_step, timer)
   type(log_type), intent(inout) :: self
   type(observables_type), intent(in) :: obs
   !> Outer step
   integer(i8), intent(in) :: last_step
   type(timer_type), intent(in) :: timer

   if (self%process_step < 0) self%process_step = obs%step
   self%first_step = obs%step
   self%first_seconds = timer%seconds(timer_total)
   self%step = obs%step
   self%last_step = last_step
end subroutine log_begin


!> A line is due at this outer step
pure function log_due(self, step)
   type(log_type), intent(in) :: self
   integer(i8), intent(in) :: step
   logical :: log_due

   log_due = mod(step, self%every) == 0 .or. step == self%last_step
end function log_due


!> Let the averages have a step that is not printed
subroutine log_sample(self, obs)
   type(log_type), intent(inout) :: self
   type(observables_type), intent(in) :: obs

   call add_sample(self%averages, obs)
end subroutine log_sample


!> Print a line, and let the averages have it when it lies behind the first step
subroutine log_line(self, obs, timer)
   type(log_type), intent(inout) :: self
   type(observables_type), intent(in) :: obs
   type(timer_type), intent(in) :: timer
   character(len=:), allocatable :: text

   self%step = obs%step
   if (obs%step > self%process_step) call add_sample(self%averages, obs)
   if (self%quiet) return
   if (modulo(self%n_lines, lines_per_head) == 0 .or. self%n_lines < 0) then
      call say(self, "")
      call say(self, head(obs))
      self%n_lines = 0
   end if
   self%n_lines = self%n_lines + 1
   text = right(to_text(obs%step), 10) // fixed(obs%time, 12, 4) // fixed(obs%total, 15, 4) &
      & // fixed(obs%potential, 15, 4) // fixed(obs%kinetic, 12, 4) // fixed(obs%temperature, 9, 2)
   if (obs%has_mid) text = text // fixed(obs%temperature_mid, 10, 2)
   if (obs%has_pressure) text = text // fixed(obs%pressure, 10, 1)
   if (obs%periodic) text = text // fixed(obs%density, 9, 4)
   text = text // fixed(obs%conserved, 15, 4) // progress_text(self, obs%step, timer)
   call say(self, text)
end subroutine log_line


!> Names of the columns
pure function head(obs) result(text)
   type(observables_type), intent(in) :: obs
   character(len=:), allocatable :: text

   text = right("MD Step", 10) // right("Time(ps)", 12) // right("E Total", 15) // right("E Potential", 15) &
      & // right("E Kinetic", 12) // right("Temp", 9)
   if (obs%has_mid) text = text // right("Temp(mid)", 10)
   if (obs%has_pressure) text = text // right("Pres", 10)
   if (obs%periodic) text = text // right("Density", 9)
   text = text // right("Conserved", 15) // right("Done", 7) // right("ns/day", 10) // right("ETA", 8)
end function head


!> Percentage of the present call of run, ns/day and time left
function progress_text(self, step, timer) result(text)
   type(log_type), intent(in) :: self
   integer(i8), intent(in) :: step
   type(timer_type), intent(in) :: timer
   character(len=:), allocatable :: text
   real(dp) :: seconds, done, wanted

   seconds = timer%seconds(timer_total) - self%first_seconds
   done = real(step - self%first_step, dp)
   wanted = real(self%last_step - self%first_step, dp)
   text = right("-", 7)
   if (wanted > 0.0_dp) text = fixed(100.0_dp*done/wanted, 6, 1) // "%"
   if (done > 0.0_dp .and. seconds > 0.0_dp) then
      text = text // fixed(nanoseconds_per_day(done*self%dt, seconds), 10, 3) &
         & // right(duration(seconds*(wanted - done)/done), 8)
   else
      text = text // right("-", 10) // right("-", 8)
   end if
end function progress_text


!> Speed in the unit people compare
pure function nanoseconds_per_day(time, seconds) result(speed)
   !> ps
   real(dp), intent(in) :: time
   real(dp), intent(in) :: seconds
   real(dp) :: speed

   speed = 0.0_dp
   if (seconds > 0.0_dp) speed = 1.0e-3_dp*time*86400.0_dp/seconds
end function nanoseconds_per_day


!> Names of the minimiser's columns
subroutine log_minimize_head(self)
   type(log_type), intent(in) :: self

   call say(self, "")
   call say(self, " Minimization via the FIRE Algorithm")
   call say(self, "")
   call say(self, right("Move", 10) // right("E Potential", 18) // right("RMS Force", 14) // right("Largest", 14) &
      & // right("Atom", 10))
end subroutine log_minimize_head


!> One line of the minimiser
subroutine log_minimize(self, move, energy, rms, largest, atom)
   type(log_type), intent(in) :: self
   integer, intent(in) :: move
   !> kcal/mol
   real(dp), intent(in) :: energy
   !> Root mean square force per degree of freedom, and largest force on an atom, kcal/mol/Å
   real(dp), intent(in) :: rms, largest
   !> Atom of the largest force, one-based
   integer, intent(in) :: atom

   call say(self, right(to_text(move), 10) // fixed(energy, 18, 4) // fixed(rms, 14, 5) // fixed(largest, 14, 4) &
      & // right(to_text(atom), 10))
end subroutine log_minimize

end module fennix_log_table
