! SPDX-License-Identifier: MIT
!> Minimisation of a system's energy at the accurate level, with its progress in the log.
module fennix_minimization
   use fennix_kinds, only : dp
   use fennix_error, only : error_type
   use fennix_ladder, only : update_level
   use fennix_levels, only : evaluate_level
   use fennix_log, only : log_minimize, log_minimize_head
   use fennix_minimize, only : fire_move, fire_type, largest_force, rms_force
   use fennix_run_state, only : simulation_type
   implicit none
   private
   public :: minimize_run

   !> Moves between two lines of the log
   integer, parameter :: lines_every = 20

contains


!> Move downhill until the root mean square force is small, the moves are used up or a signal comes
subroutine minimize_run(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(fire_type) :: fire
   integer :: move, atom
   real(dp) :: length, rms
   logical :: done

   call log_minimize_head(self%log)
   do move = 0, self%settings%minimize_steps
      associate (level => self%ladder%levels(1))
         ! Atoms keep their rank, since their fictitious velocities do not travel
         call update_level(self%ladder, 1, self%domain, self%atoms, self%cell, .false., self%timer, error)
         if (.not. allocated(error)) then
            call evaluate_level(level, self%domain, self%cell, self%motion%inner_step, .true., self%timer, error)
         end if
         if (allocated(error)) return
         rms = rms_force(self%domain%comm, level%forces)
         done = self%domain%stop_agreed /= 0
         done = done .or. rms < self%settings%minimize_rms .or. move == self%settings%minimize_steps
         if (done .or. mod(move, lines_every) == 0) then
            call largest_force(self%domain%comm, self%atoms%id, level%forces, atom, length)
            call log_minimize(self%log, move, level%energy, rms, length, atom)
         end if
         if (done) return
         call fire_move(fire, self%domain%comm, self%atoms, level%forces)
      end associate
   end do
end subroutine minimize_run

end module fennix_minimization
