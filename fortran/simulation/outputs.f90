! SPDX-License-Identifier: MIT
!> Which file gets what, and when.
module fennix_outputs
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type
   use fennix_units, only : accel_factor
   use fennix_archive, only : close_archive, open_archive, sync_archive, write_frame
   use fennix_dyn, only : restart_title, write_dyn
   use fennix_files, only : check_folder, file_size
   use fennix_frames, only : close_frames, keep_all, open_frames, write_frame_record
   use fennix_log, only : log_due, log_line, log_sample
   use fennix_resume, only : save_run
   use fennix_run_state, only : measure, simulation_type
   use fennix_timer, only : timer_output
   implicit none
   private
   public :: open_outputs, is_due, report_step, save_restart, write_trajectory, close_outputs

contains


!> Open trajectory files: continued where a checkpoint left them, appended to after a .dyn start, else new
subroutine open_outputs(self, keep_bytes, keep_frames, error)
   type(simulation_type), intent(inout) :: self
   !> What belongs to the checkpoint, -1 without one
   integer(i8), intent(in) :: keep_bytes, keep_frames
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: bytes, n_frames

   if (self%settings%archive .or. self%settings%h5md .or. self%settings%restart_files) then
      call check_folder(self%settings%name, error)
      if (allocated(error)) return
   end if
   bytes = keep_bytes
   n_frames = keep_frames
   if (self%start%kind == "dyn" .and. .not. self%settings%resume) then
      bytes = file_size(self%settings%name // ".arc")
      n_frames = keep_all
   end if
   if (self%settings%archive) then
      call open_archive(self%archive, self%settings%name // ".arc", bytes, self%settings%digits, error)
      if (allocated(error)) return
   end if
   self%frames%with_velocity = self%settings%save_velocity
   self%frames%with_force = self%settings%save_force
   if (self%settings%h5md) call open_frames(self%frames, self%atoms, self%obs, n_frames, error)
end subroutine open_outputs


!> Something will be reported at this outer step, so that the virial is wanted there
pure function is_due(self, step)
   type(simulation_type), intent(in) :: self
   integer(i8), intent(in) :: step
   logical :: is_due

   is_due = log_due(self%log, step) .or. mod(step, self%settings%dump_every) == 0
end function is_due


!> Report an outer step that is due: line of the log, frame, checkpoint
subroutine report_step(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   call self%timer%start(timer_output)
   call measure(self)
   if (log_due(self%log, self%step)) then
      call log_line(self%log, self%obs, self%timer)
   else
      call log_sample(self%log, self%obs)
   end if
   if (mod(self%step, self%settings%dump_every) == 0) call write_trajectory(self, error)
   call self%timer%stop(timer_output)
end subroutine report_step


!> One frame into every trajectory file
subroutine write_trajectory(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   if (self%settings%archive) then
      call write_frame(self%archive, self%atoms, self%cell, self%atoms%title, error)
      if (allocated(error)) return
   end if
   if (self%settings%h5md) then
      call write_frame_record(self%frames, self%atoms, self%cell, self%ladder%levels(1)%forces, self%obs, error)
   end if
end subroutine write_trajectory


!> NAME.dyn and NAME.chk; the trajectory is forced to disk first, because the checkpoint counts on it
subroutine save_restart(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: outer(:, :), inner(:, :)
   integer :: iat, n

   if (.not. self%settings%restart_files) return
   call self%timer%start(timer_output)
   n = size(self%ladder%levels)
   outer = self%ladder%levels(1)%forces
   inner = self%ladder%levels(n)%forces
   do iat = 1, self%atoms%n
      outer(:, iat) = outer(:, iat)*accel_factor/self%atoms%mass(iat)
      inner(:, iat) = inner(:, iat)*accel_factor/self%atoms%mass(iat)
   end do
   if (self%settings%archive) call sync_archive(self%archive, error)
   if (.not. allocated(error)) call save_run(self, error)
   if (.not. allocated(error)) then
      call write_dyn(self%settings%name // ".dyn", self%atoms, self%cell, outer, inner, &
         & restart_title(self%atoms%title, self%step, self%motion%inner_step), error)
   end if
   call self%timer%stop(timer_output)
end subroutine save_restart


!> Close the trajectory files
subroutine close_outputs(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   call close_archive(self%archive)
   call close_frames(self%frames, error)
end subroutine close_outputs

end module fennix_outputs
