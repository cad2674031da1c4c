! SPDX-License-Identifier: MIT
!> What is said after the last step.
module fennix_closing
   use fennix_kinds, only : dp, i8
   use fennix_error, only : to_text
   use fennix_comm, only : sum_all
   use fennix_harvest, only : describe_harvest
   use fennix_log, only : log_averages, log_closing, say
   use fennix_run_state, only : simulation_type
   use fennix_shares, only : level_share_text, owned_text
   use fennix_timer, only : timer_count
   implicit none
   private
   public :: describe_end

contains


!> Averages, what was capped, how the ranks shared the work, and where the time went; all ranks call this together
subroutine describe_end(self)
   type(simulation_type), intent(inout) :: self
   real(dp) :: seconds(timer_count), capped(1)
   integer :: k

   call log_averages(self%log, self%obs)
   capped = real(self%motion%n_capped, dp)
   call sum_all(self%domain%comm, capped)
   if (capped(1) > 0.0_dp) call say(self%log, " ml-force-cap shortened the outer kick of an atom " // &
      & to_text(nint(capped(1), i8)) // " times since the trajectory began")
   call describe_harvest(self)
   if (self%domain%comm%size > 1) call describe_ranks(self)
   do k = 1, timer_count
      seconds(k) = self%timer%seconds(k)
   end do
   call sum_all(self%domain%comm, seconds)
   call log_closing(self%log, seconds/self%domain%comm%size, [(self%timer%calls(k), k=1, timer_count)], &
      & self%stop_reason)
end subroutine describe_end


!> Atoms, ghosts, pairs and migrations
subroutine describe_ranks(self)
   type(simulation_type), intent(inout) :: self
   integer :: k

   call say(self%log, "")
   call say(self%log, " Ranks: " // owned_text(self) // "; " // to_text(self%domain%n_migrated) // &
      & " atoms changed rank in " // to_text(self%domain%n_migrations) // " migrations")
   do k = 1, size(self%ladder%levels)
      call say(self%log, " Level " // to_text(k) // ": " // level_share_text(self, k))
   end do
end subroutine describe_ranks

end module fennix_closing
