! SPDX-License-Identifier: MIT
!> Which file gets what, and when.
module fennix_outputs
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, to_text
   use fennix_units, only : accel_factor
   use fennix_archive, only : check_archive, close_archive, open_archive, sync_archive, write_frame
   use fennix_archive_scan, only : find_frames
   use fennix_checkpoint, only : checkpoint_type, save_checkpoint
   use fennix_collect, only : collect_rows
   use fennix_domain, only : settle
   use fennix_dyn, only : restart_title, write_dyn
   use fennix_files, only : file_size, path_exists, sync_file
   use fennix_frames, only : close_frames, keep_all, open_frames, write_frame_record
   use fennix_harvest, only : flush_harvest, open_harvest
   use fennix_log, only : log_due, log_line, log_sample, say
   use fennix_save_state, only : put_run
   use fennix_run_state, only : collect_atoms, is_root, measure, run_time, simulation_type
   use fennix_timer, only : timer_output
   implicit none
   private
   public :: open_outputs, is_due, report_step, save_first, save_restart, write_trajectory, close_outputs

contains


!> Open trajectory files, on rank 0
subroutine open_outputs(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   if (is_root(self)) call open_files(self, error)
   call settle(self%domain, error)
   if (.not. allocated(error)) call open_harvest(self, error)
end subroutine open_outputs


!> Continued where a checkpoint left them, appended to after a .dyn start, else new
subroutine open_files(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: path
   integer(i8) :: bytes, n_frames, start_step
   logical :: appending

   appending = self%start%kind == "dyn" .and. .not. self%settings%resume
   path = self%settings%name // ".arc"
   bytes = self%keep_bytes
   n_frames = self%keep_frames
   if (appending) n_frames = keep_all
   start_step = -1
   if (appending) start_step = self%start%step
   if (self%settings%archive .and. .not. appending) call check_archive(path, bytes, error)
   if (allocated(error)) return
   self%frames%with_velocity = self%settings%save_velocity
   self%frames%with_force = self%settings%save_force
   if (self%settings%h5md) call open_frames(self%frames, self%whole, self%obs, n_frames, self%cell%periodic, &
      & start_step, error)
   if (allocated(error) .or. .not. self%settings%archive) return
   if (appending) call find_end(self, path, bytes, error)
   if (.not. allocated(error)) call open_archive(self%archive, path, bytes, self%settings%digits, error)
end subroutine open_files


!> Bytes of NAME.arc that a start from NAME.dyn goes on after: whole frames, and none that NAME.h5 dropped as later
subroutine find_end(self, path, bytes, error)
   type(simulation_type), intent(in) :: self
   character(len=*), intent(in) :: path
   !> -1 = set the file aside
   integer(i8), intent(out) :: bytes
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: n_found, n_kept, n_scanned

   bytes = -1
   if (.not. path_exists(path)) return
   call find_frames(path, self%whole%n, -1_i8, n_found, bytes, error)
   if (allocated(error)) return
   n_kept = n_found
   if (n_found < 0) then
      bytes = -1
   else if (self%frames%n_dropped > 0) then
      ! Only where the files went in step: the archive is written first, so it may be one frame ahead
      if (any(n_found - self%frames%n_frames - self%frames%n_dropped == [0_i8, 1_i8])) n_kept = self%frames%n_frames
      if (n_kept < n_found) call find_frames(path, self%whole%n, n_kept, n_scanned, bytes, error)
   end if
   if (allocated(error)) return
   ! Nothing of it can be kept, so it goes aside as a whole
   if (n_kept == 0 .and. n_found > 0) bytes = -1
   if (bytes < 0) then
      call say(self%log, " Note: " // path // " is not of this run and is kept under another name.")
   else if (bytes < file_size(path)) then
      call say(self%log, " Note: " // path // " is cut to its first " // to_text(n_kept) // &
         & " frames: what follows is torn, or later than the restart file.")
   end if
end subroutine find_end


!> Something will be reported at this outer step, so that the virial is wanted there
pure function is_due(self, step)
   type(simulation_type), intent(in) :: self
   integer(i8), intent(in) :: step
   logical :: is_due

   is_due = log_due(self%log, step) .or. mod(step, self%settings%dump_every) == 0
end function is_due


!> Report an outer step that is due: line of the log, frame, checkpoint; all ranks call this together
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


!> One frame into every trajectory file; all ranks call this together
subroutine write_trajectory(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: forces(:, :)

   if (.not. (self%settings%archive .or. self%settings%h5md)) return
   call collect_atoms(self)
   call collect_rows(self%domain%comm, self%atoms%id, self%ladder%levels(1)%forces, forces)
   if (is_root(self)) then
      if (self%settings%archive) call write_frame(self%archive, self%whole, self%cell, self%whole%title, error)
      if (self%settings%h5md .and. .not. allocated(error)) then
         call write_frame_record(self%frames, self%whole, self%cell, forces, self%obs, error)
      end if
   end if
   deallocate(self%whole%position, self%whole%velocity)
   call settle(self%domain, error)
end subroutine write_trajectory


!> NAME.dyn and NAME.chk; all ranks call this together
subroutine save_restart(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: chk
   real(dp), allocatable :: outer(:, :), inner(:, :)

   if (self%spoilt .or. .not. self%settings%restart_files) return
   call flush_harvest(self, error)
   if (allocated(error)) return
   call self%timer%start(timer_output)
   ! Nothing is written of a state that a failure has spoilt
   call settle(self%domain, error)
   if (.not. allocated(error)) then
      call collect_atoms(self)
      call collect_rows(self%domain%comm, self%atoms%id, self%ladder%levels(1)%forces, outer)
      call collect_rows(self%domain%comm, self%atoms%id, self%ladder%levels(size(self%ladder%levels))%forces, inner)
      call put_run(self, chk)
      if (is_root(self)) call write_restart(self, chk, outer, inner, error)
      deallocate(self%whole%position, self%whole%velocity)
      call settle(self%domain, error)
   end if
   if (.not. allocated(error)) self%saved_step = self%step
   call self%timer%stop(timer_output)
end subroutine save_restart


!> The files of a restart; the trajectory is forced to disk first, because the checkpoint counts on it
subroutine write_restart(self, chk, outer, inner, error)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(in) :: chk
   !> Forces of the accurate and of the innermost level, kcal/mol/Å, (3, n)
   real(dp), intent(inout) :: outer(:, :), inner(:, :)
   type(error_type), allocatable, intent(out) :: error
   integer :: iat

   do iat = 1, self%whole%n
      outer(:, iat) = outer(:, iat)*accel_factor/self%whole%mass(iat)
      inner(:, iat) = inner(:, iat)*accel_factor/self%whole%mass(iat)
   end do
   if (self%settings%archive) call sync_archive(self%archive, error)
   if (self%frames%active .and. .not. allocated(error)) call sync_file(self%settings%name // ".h5", error)
   if (self%harvest%active .and. .not. allocated(error)) call sync_file(self%settings%name // ".holes.h5", error)
   if (.not. allocated(error)) then
      call write_dyn(self%settings%name // ".dyn", self%whole, self%cell, outer, inner, &
         & restart_title(self%whole%title, self%step, self%motion%inner_step, run_time(self)), error)
   end if
   ! Last, so that a run resumed after a kill in between writes the other files again
   if (.not. allocated(error)) call save_checkpoint(chk, self%settings%name // ".chk", error)
end subroutine write_restart


!> The checkpoint alone, with which a run begins; all ranks call this together
subroutine save_first(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: chk

   call collect_atoms(self)
   call put_run(self, chk)
   if (is_root(self)) call save_checkpoint(chk, self%settings%name // ".chk", error)
   call settle(self%domain, error)
end subroutine save_first


!> Close the trajectory files, which are open on rank 0
subroutine close_outputs(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: later

   call close_archive(self%archive)
   call close_frames(self%frames, error)
   call close_frames(self%harvest%holes, later)
   if (allocated(later) .and. .not. allocated(error)) call move_alloc(later, error)
end subroutine close_outputs

end module fennix_outputs
