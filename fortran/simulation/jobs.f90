! SPDX-License-Identifier: MIT
!> The jobs beside dynamics: minimise alone, check the input, evaluate the frames of a trajectory.
module fennix_jobs
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, to_text
   use fennix_arc, only : arc_type, close_arc, next_frame, open_arc
   use fennix_archive, only : close_archive, open_archive, write_frame
   use fennix_ladder, only : evaluate_all
   use fennix_levels, only : refresh_pairs
   use fennix_log, only : log_header, say
   use fennix_minimization, only : minimize_run
   use fennix_minimize, only : largest_force, rms_force
   use fennix_opening, only : check_contacts, check_outputs, describe_levels
   use fennix_run_state, only : measure, simulation_type
   implicit none
   private
   public :: minimize_only, check_only, rerun

contains


!> Minimise and write NAME_min.xyz
subroutine minimize_only(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   call check_outputs(self, error)
   if (.not. allocated(error)) call check_contacts(self, error)
   if (.not. allocated(error)) call minimize_run(self, error)
   if (.not. allocated(error)) call open_archive(self%archive, self%settings%name // "_min.xyz", -1_i8, 8, error)
   if (.not. allocated(error)) call write_frame(self%archive, self%atoms, self%cell, self%atoms%title, error)
   if (allocated(error)) return
   call close_archive(self%archive)
   call say(self%log, "")
   call say(self%log, " Minimised structure written to " // self%settings%name // "_min.xyz")
end subroutine minimize_only


!> Say what would run: everything but forces
subroutine check_only(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   integer :: k
   real(dp) :: bytes

   call check_contacts(self, error)
   bytes = 0.0_dp
   do k = 1, size(self%ladder%levels)
      if (allocated(error)) return
      call refresh_pairs(self%ladder%levels(k), self%cell, self%atoms, self%timer, error)
      bytes = bytes + 16.0_dp*self%ladder%levels(k)%pairs%n_edges*2
   end do
   if (allocated(error)) return
   call measure(self)
   call describe_levels(self)
   call say(self%log, " Ranks               1, owning " // to_text(self%atoms%n) // " atoms and no ghosts")
   call say(self%log, " Memory              about " // to_text(nint(bytes/1.0e5_dp)/10.0_dp) // &
      & " MB for pair lists, models apart")
   call say(self%log, "")
   call say(self%log, " The input is valid; nothing was run")
end subroutine check_only


!> Evaluate every frame of a trajectory at each level
subroutine rerun(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(arc_type) :: arc
   logical :: done
   integer :: n_frames

   call open_arc(arc, self%settings%rerun_file, error)
   if (allocated(error)) return
   call say(self%log, "")
   call say(self%log, rerun_head(size(self%ladder%levels)))
   n_frames = 0
   do
      call next_frame(arc, self%cell, self%atoms, done, error)
      if (allocated(error) .or. done) exit
      n_frames = n_frames + 1
      call evaluate_all(self%ladder, self%atoms, self%cell, self%motion, self%timer, error)
      if (allocated(error)) exit
      call say(self%log, rerun_line(self, n_frames))
   end do
   call close_arc(arc)
end subroutine rerun


!> Names of the columns of a rerun
pure function rerun_head(n_levels) result(text)
   integer, intent(in) :: n_levels
   character(len=:), allocatable :: text

   text = "     Frame   E Accurate  RMS Force     Max F   on Atom"
   if (n_levels > 1) text = text // "         E Fast   RMS dF    Max dF   on Atom"
end function rerun_head


!> Energies, forces and their differences of one frame, kcal/mol and kcal/mol/Å
function rerun_line(self, n_frames) result(text)
   type(simulation_type), intent(in) :: self
   integer, intent(in) :: n_frames
   character(len=:), allocatable :: text
   character(len=160) :: buffer
   real(dp), allocatable :: difference(:, :)
   real(dp) :: length
   integer :: atom

   associate (levels => self%ladder%levels)
      call largest_force(levels(1)%forces, atom, length)
      write(buffer, "(i10,f13.4,f11.4,f10.3,i10)") n_frames, levels(1)%energy, rms_force(levels(1)%forces), length, atom
      text = trim(buffer)
      if (size(levels) == 1) return
      difference = levels(1)%forces - levels(2)%forces
      call largest_force(difference, atom, length)
      write(buffer, "(f15.4,f9.4,f10.3,i10)") levels(2)%energy, rms_force(difference), length, atom
      text = text // trim(buffer)
   end associate
end function rerun_line

end module fennix_jobs
