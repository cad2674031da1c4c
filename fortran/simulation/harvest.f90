! SPDX-License-Identifier: MIT
!> Outer steps at which the fast model is far from the accurate one: which they are, their frames, their statistics.
!>
!> Ranks agree on the largest difference in the next reduction that they do anyway. By then atoms have moved on, so each
!> rank keeps a copy of its part of the step until all know whether it is wanted.
module fennix_harvest
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, to_text
   use fennix_checkpoint, only : checkpoint_type, get, has_record, put
   use fennix_collect, only : collect_rows
   use fennix_comm, only : sum_all
   use fennix_domain, only : settle
   use fennix_frames, only : keep_all
   use fennix_holes, only : open_holes, write_hole, write_summary
   use fennix_log, only : say
   use fennix_log_text, only : fixed
   use fennix_run_state, only : is_root, run_time, simulation_type
   use fennix_tally, only : add_step, count_from, largest_of, n_bins, sum_tally, tally_type
   use fennix_timer, only : timer_output
   implicit none
   private
   public :: open_harvest, look_for_holes, flush_harvest, describe_harvest, put_harvest, get_harvest

   !> Shares of the atoms from these lengths on are told at the end, kcal/mol/Å
   real(dp), parameter :: told(2) = [30.0_dp, 150.0_dp]

contains


!> Open NAME.holes.h5 as NAME.h5 is opened: continued where a checkpoint left it, appended to after a .dyn start, else
!> new. All ranks call this together.
subroutine open_harvest(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: keep_frames, start_step
   real(dp) :: held(1)

   if (.not. self%settings%harvest_force > 0.0_dp) return
   held = 0.0_dp
   if (is_root(self)) then
      keep_frames = self%harvest%keep_frames
      start_step = -1
      if (self%start%kind == "dyn" .and. .not. self%settings%resume) then
         keep_frames = keep_all
         start_step = self%start%step
      end if
      call open_holes(self%harvest%holes, self%whole, keep_frames, self%cell%periodic, start_step, error)
      held = real(self%harvest%holes%n_frames, dp)
   end if
   call settle(self%domain, error)
   if (allocated(error)) return
   call sum_all(self%domain%comm, held)
   self%harvest%n_frames = nint(held(1), i8)
   self%harvest%active = .true.
   ! The file may be ahead of the checkpoint, or its statistics of an earlier run
   call save_summary(self, error)
end subroutine open_harvest


!> Look at the outer step just done, whose forces are those of the present positions; all ranks call this together
subroutine look_for_holes(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   if (.not. self%harvest%active) return
   call take_step(self, error)
   if (allocated(error)) return
   associate (harvest => self%harvest, levels => self%ladder%levels)
      harvest%pending = .true.
      harvest%step = self%step
      harvest%time = run_time(self)
      harvest%id = self%atoms%id
      harvest%position = self%atoms%position
      harvest%difference = levels(1)%forces - levels(2)%forces
      self%domain%difference = largest_of(harvest%difference)
      ! What failed on this rank is not known to the others yet, and neither is what its forces are worth
      if (allocated(self%domain%pending)) self%domain%difference = huge(1.0_dp)
   end associate
   ! Alone there is nobody to wait for
   if (self%domain%comm%size == 1) call take_step(self, error)
end subroutine look_for_holes


!> Count the step that was kept, and write it if all agreed that it is wanted and there is room
subroutine take_step(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: largest

   if (.not. self%harvest%pending) return
   self%harvest%pending = .false.
   largest = self%domain%difference_agreed
   if (self%domain%comm%size == 1) largest = self%domain%difference
   self%domain%difference = 0.0_dp
   if (.not. largest < huge(1.0_dp)) return
   associate (harvest => self%harvest)
      call add_step(harvest%tally, harvest%step, harvest%id, harvest%difference)
      if (.not. largest > self%settings%harvest_force) return
      harvest%tally%n_above = harvest%tally%n_above + 1
      if (harvest%n_frames >= self%settings%harvest_max) then
         harvest%tally%n_skipped = harvest%tally%n_skipped + 1
         return
      end if
   end associate
   call save_frame(self, error)
end subroutine take_step


!> The step that was kept into the file; all ranks call this together
subroutine save_frame(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: position(:, :), difference(:, :)

   call self%timer%start(timer_output)
   associate (harvest => self%harvest, comm => self%domain%comm)
      call collect_rows(comm, harvest%id, harvest%position, position)
      call collect_rows(comm, harvest%id, harvest%difference, difference)
      if (is_root(self)) call write_hole(harvest%holes, self%cell, harvest%step, harvest%time, position, difference, &
         & error)
      call settle(self%domain, error)
      harvest%n_frames = harvest%n_frames + 1
   end associate
   call self%timer%stop(timer_output)
end subroutine save_frame


!> Everything about the steps so far into the file, before a checkpoint counts on it or at the end of a run, also of
!> one that failed. All ranks call this together.
subroutine flush_harvest(self, error)
   type(simulation_type), intent(inout) :: self
   !> In: why the run failed, which all ranks know; out: that, or what failed here
   type(error_type), allocatable, intent(inout) :: error
   type(error_type), allocatable :: later

   if (.not. self%harvest%active) return
   ! To know of the failure, the ranks have agreed
   if (.not. allocated(error)) call settle(self%domain, error)
   call take_step(self, later)
   if (.not. allocated(later)) call save_summary(self, later)
   if (allocated(later) .and. .not. allocated(error)) call move_alloc(later, error)
end subroutine flush_harvest


!> The statistics into the file; all ranks call this together
subroutine save_summary(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(tally_type) :: total

   call self%timer%start(timer_output)
   total = sum_tally(self%harvest%tally, self%domain%comm)
   if (is_root(self)) call write_summary(self%harvest%holes, total, self%settings%harvest_force, error)
   call settle(self%domain, error)
   call self%timer%stop(timer_output)
end subroutine save_summary


!> Closing lines of the log; all ranks call this together
subroutine describe_harvest(self)
   type(simulation_type), intent(in) :: self
   type(tally_type) :: total
   character(len=:), allocatable :: skipped

   if (.not. self%harvest%active) return
   total = sum_tally(self%harvest%tally, self%domain%comm)
   if (.not. is_root(self) .or. total%n_steps == 0) return
   call say(self%log, "")
   call say(self%log, " Harvest: |F(accurate) - F(fast)| of an atom was above " // &
      & to_text(self%settings%harvest_force) // " kcal/mol/A at " // to_text(total%n_above) // " of " // &
      & to_text(total%n_steps) // " outer steps (" // to_text(total%first_step) // " to " // &
      & to_text(total%last_step) // ")")
   skipped = ""
   if (total%n_skipped > 0) skipped = "; " // to_text(total%n_skipped) // " steps were counted but not written " // &
      & "(harvest-max " // to_text(self%settings%harvest_max) // ")"
   call say(self%log, " " // self%settings%name // ".holes.h5 holds " // to_text(self%harvest%n_frames) // &
      & " frames" // skipped)
   if (total%largest_atom > 0) call say(self%log, " Largest difference " // &
      & trim(adjustl(fixed(total%largest, 14, 3))) // " kcal/mol/A on atom " // to_text(total%largest_atom) // " (" // &
      & trim(self%whole%name(total%largest_atom)) // ") at outer step " // to_text(total%largest_step))
   call say(self%log, " Of " // to_text(sum(total%counts)) // " atoms x steps " // share_text(total, 1) // &
      & " kcal/mol/A, " // share_text(total, 2))
end subroutine describe_harvest


!> "26 (0.5417 %) were at or above 30"
function share_text(tally, k) result(text)
   type(tally_type), intent(in) :: tally
   !> Index into told
   integer, intent(in) :: k
   character(len=:), allocatable :: text
   integer(i8) :: n
   real(dp) :: share

   n = count_from(tally, told(k))
   share = real(n, dp)/real(max(1_i8, sum(tally%counts)), dp)
   text = to_text(n) // " (" // trim(adjustl(fixed(100.0_dp*share, 12, 4))) // " %) were at or above " // &
      & to_text(nint(told(k)))
end function share_text


!> Into a checkpoint: frames in the file, and the statistics; all ranks call this together.
!> While nothing is harvested, what an earlier part of the run left stays.
subroutine put_harvest(self, chk)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(inout) :: chk
   type(tally_type) :: total
   integer(i8) :: n_frames
   real(dp) :: threshold

   total = self%harvest%tally
   n_frames = self%harvest%keep_frames
   threshold = self%harvest%kept_threshold
   if (self%harvest%active) then
      threshold = self%settings%harvest_force
      total = sum_tally(self%harvest%tally, self%domain%comm)
      n_frames = self%harvest%n_frames
   end if
   if (n_frames < 0) return
   call put(chk, "harvest counters", [n_frames, total%n_steps, total%first_step, total%last_step, total%n_above, &
      & total%n_skipped, total%largest_step, total%largest_atom])
   call put(chk, "harvest histogram", total%counts)
   call put(chk, "harvest forces", [total%largest, threshold])
end subroutine put_harvest


!> Out of a checkpoint, if it has any, on rank 0
subroutine get_harvest(self, chk, error)
   type(simulation_type), intent(inout) :: self
   type(checkpoint_type), intent(in) :: chk
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: counters(8), counts(n_bins)
   real(dp) :: forces(2)

   if (.not. has_record(chk, "harvest counters")) return
   call get(chk, "harvest counters", counters, error)
   if (.not. allocated(error)) call get(chk, "harvest histogram", counts, error)
   if (.not. allocated(error)) call get(chk, "harvest forces", forces, error)
   if (allocated(error)) return
   self%harvest%keep_frames = counters(1)
   self%harvest%tally = tally_type(counts=counts, n_steps=counters(2), first_step=counters(3), last_step=counters(4), &
      & n_above=counters(5), n_skipped=counters(6), largest=forces(1), largest_step=counters(7), &
      & largest_atom=counters(8))
   self%harvest%kept_threshold = forces(2)
   if (.not. self%settings%harvest_force > 0.0_dp) return
   if (abs(self%settings%harvest_force - forces(2)) > 0.0_dp) call say(self%log, " Note: up to the checkpoint " // &
      & "harvest-force was " // to_text(forces(2)) // "; the steps so far were counted and written by that.")
end subroutine get_harvest

end module fennix_harvest
