! SPDX-License-Identifier: MIT
!> The jobs beside dynamics: minimise alone, check the input, evaluate the frames of a trajectory.
module fennix_jobs
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, to_text
   use fennix_comm, only : max_all, sum_all
   use fennix_arc, only : arc_type, close_arc, next_frame, open_arc
   use fennix_archive, only : close_archive, open_archive, write_frame
   use fennix_collect, only : spread_rows
   use fennix_domain, only : lay_bricks, settle
   use fennix_ladder, only : evaluate_all, update_level
   use fennix_log, only : say
   use fennix_minimization, only : minimize_run
   use fennix_minimize, only : largest_force, rms_force
   use fennix_opening, only : check_contacts, check_outputs, describe_levels, distribute
   use fennix_run_state, only : collect_atoms, is_root, measure, simulation_type
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
   call settle(self%domain, error)
   if (.not. allocated(error)) call distribute(self, error)
   if (.not. allocated(error)) call minimize_run(self, error)
   if (allocated(error)) return
   call collect_atoms(self)
   if (is_root(self)) then
      call open_archive(self%archive, self%settings%name // "_min.xyz", -1_i8, 8, error)
      if (.not. allocated(error)) call write_frame(self%archive, self%whole, self%cell, self%whole%title, error)
      if (.not. allocated(error)) call close_archive(self%archive)
   end if
   call settle(self%domain, error)
   if (allocated(error)) return
   call say(self%log, "")
   call say(self%log, " Minimised structure written to " // self%settings%name // "_min.xyz")
end subroutine minimize_only


!> Say what would run: everything but forces
subroutine check_only(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   integer :: k
   real(dp) :: bytes(1)

   call check_contacts(self, error)
   call settle(self%domain, error)
   if (.not. allocated(error)) call distribute(self, error)
   bytes = 0.0_dp
   do k = 1, size(self%ladder%levels)
      if (allocated(error)) return
      call update_level(self%ladder, k, self%domain, self%atoms, self%cell, .false., self%timer, error)
      bytes = bytes + 16.0_dp*self%ladder%levels(k)%pairs%n_edges*2 + 80.0_dp*self%ladder%levels(k)%halo%n_total
   end do
   if (allocated(error)) return
   call measure(self)
   call describe_levels(self)
   call max_all(self%domain%comm, bytes)
   call say(self%log, " Memory              about " // to_text(nint(bytes(1)/1.0e5_dp)/10.0_dp) // &
      & " MB on a rank for pair lists and ghosts, models apart")
   call say(self%log, "")
   call say(self%log, " The input is valid; nothing was run")
end subroutine check_only


!> Evaluate every frame of a trajectory at each level
subroutine rerun(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(arc_type) :: arc
   real(dp) :: ended(1)
   logical :: done
   integer :: n_frames

   if (is_root(self)) call open_arc(arc, self%settings%rerun_file, error)
   call settle(self%domain, error)
   if (.not. allocated(error)) call distribute(self, error)
   if (allocated(error)) return
   call say(self%log, "")
   call say(self%log, rerun_head(size(self%ladder%levels)))
   n_frames = 0
   do
      done = .false.
      if (is_root(self)) call next_frame(arc, self%cell, self%whole, done, error)
      call settle(self%domain, error)
      ended = merge(1.0_dp, 0.0_dp, done)
      call max_all(self%domain%comm, ended)
      if (allocated(error) .or. ended(1) > 0.0_dp) exit
      n_frames = n_frames + 1
      call share_cell(self)
      call spread_rows(self%domain%comm, self%atoms%id, self%whole%position, self%atoms%position)
      call evaluate_all(self%ladder, self%domain, self%atoms, self%cell, self%motion, self%timer, error)
      if (allocated(error)) exit
      call say(self%log, rerun_line(self, n_frames))
   end do
   if (is_root(self)) call close_arc(arc)
end subroutine rerun


!> The box of rank 0's frame on all ranks, and bricks that fit it
subroutine share_cell(self)
   type(simulation_type), intent(inout) :: self
   real(dp) :: numbers(19)

   numbers = 0.0_dp
   if (is_root(self)) numbers = [reshape(self%cell%vectors, [9]), reshape(self%cell%inverse, [9]), &
      & merge(1.0_dp, 0.0_dp, self%cell%periodic)]
   call sum_all(self%domain%comm, numbers)
   self%cell%vectors = reshape(numbers(1:9), [3, 3])
   self%cell%inverse = reshape(numbers(10:18), [3, 3])
   self%cell%periodic = numbers(19) > 0.0_dp
   call lay_bricks(self%domain, self%cell, self%atoms, self%domain%shape)
end subroutine share_cell


!> Names of the columns of a rerun
pure function rerun_head(n_levels) result(text)
   integer, intent(in) :: n_levels
   character(len=:), allocatable :: text

   text = "     Frame   E Accurate  RMS Force     Max F   on Atom"
   if (n_levels > 1) text = text // "         E Fast   RMS dF    Max dF   on Atom"
end function rerun_head


!> Energies, forces and their differences of one frame, kcal/mol and kcal/mol/Å; all ranks call this together
function rerun_line(self, n_frames) result(text)
   type(simulation_type), intent(in) :: self
   integer, intent(in) :: n_frames
   character(len=:), allocatable :: text
   character(len=160) :: buffer
   real(dp), allocatable :: difference(:, :)
   real(dp) :: length
   integer :: atom

   associate (levels => self%ladder%levels, comm => self%domain%comm, id => self%atoms%id)
      call largest_force(comm, id, levels(1)%forces, atom, length)
      write(buffer, "(i10,f13.4,f11.4,f10.3,i10)") n_frames, levels(1)%energy, rms_force(comm, levels(1)%forces), &
         & length, atom
      text = trim(buffer)
      if (size(levels) == 1) return
      difference = levels(1)%forces - levels(2)%forces
      call largest_force(comm, id, difference, atom, length)
      write(buffer, "(f15.4,f9.4,f10.3,i10)") levels(2)%energy, rms_force(comm, difference), length, atom
      text = text // trim(buffer)
   end associate
end function rerun_line

end module fennix_jobs
