! SPDX-License-Identifier: MIT
!> Hands frames in which two models are far apart, and the statistics of their difference, to the sink of NAME.holes.h5.
module fennix_holes
   use, intrinsic :: iso_c_binding, only : c_associated, c_int32_t, c_int64_t, c_loc
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_tally, only : bin_width, n_bins, tally_type
   use fennix_seam, only : frame_difference, frame_record, summary_record
   use fennix_frames, only : call_sink, frames_type, open_sink
   use fennix_wrap, only : wrap_positions
   implicit none
   private
   public :: open_holes, write_hole, write_summary

   !> What each frame holds besides the vectors
   character(len=*), parameter :: observables = "worst=kcal mol-1 Angstrom-1" // new_line("a") // "worst_atom=" // &
      & new_line("a")

contains


!> Tell the sink about the system
subroutine open_holes(self, atoms, keep_frames, periodic, start_step, error)
   type(frames_type), intent(inout) :: self
   type(atoms_type), intent(in) :: atoms
   !> These three as of open_frames
   integer(i8), intent(in) :: keep_frames
   logical, intent(in) :: periodic
   integer(i8), intent(in) :: start_step
   type(error_type), allocatable, intent(out) :: error

   if (.not. c_associated(self%sink%summary)) then
      call fatal_error(error, "keyword 'harvest-force': nobody takes the frames")
      return
   end if
   call open_sink(self, atoms, observables, 2, int(frame_difference), keep_frames, periodic, start_step, error)
end subroutine open_holes


!> Write one frame; it is on disk when this returns
subroutine write_hole(self, cell, step, time, position, difference, error)
   type(frames_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   !> Outer step, and its time, ps
   integer(i8), intent(in) :: step
   real(dp), intent(in) :: time
   !> Å, and accurate minus fast force, kcal/mol/Å, (3, n) in global order
   real(dp), intent(in) :: position(:, :)
   real(dp), intent(in), target :: difference(:, :)
   type(error_type), allocatable, intent(out) :: error
   type(frame_record), target :: frame
   real(dp), allocatable, target :: folded(:, :)
   integer(i4), allocatable, target :: image(:, :)
   real(dp), target :: values(2)
   real(dp), allocatable :: squares(:)
   integer :: worst

   if (.not. self%active) return
   allocate(folded(3, size(position, 2)), image(3, size(position, 2)))
   call wrap_positions(cell, position, folded, image)
   squares = sum(difference**2, dim=1)
   worst = maxloc(squares, dim=1)
   values = [sqrt(squares(worst)), real(worst, dp)]
   frame%n_atoms = size(position, 2, kind=c_int32_t)
   frame%periodic = merge(1_c_int32_t, 0_c_int32_t, cell%periodic)
   frame%n_observables = size(values, kind=c_int32_t)
   frame%step = int(step, c_int64_t)
   frame%time = time
   frame%cell = cell%vectors
   frame%position = c_loc(folded)
   frame%image = c_loc(image)
   frame%observable = c_loc(values)
   frame%difference = c_loc(difference)
   call call_sink(self, "write", c_loc(frame), error)
   if (.not. allocated(error)) self%n_frames = self%n_frames + 1
end subroutine write_hole


!> Bring the statistics in the file up to date; they are on disk when this returns
subroutine write_summary(self, tally, threshold, error)
   type(frames_type), intent(in) :: self
   !> Of all ranks
   type(tally_type), intent(in) :: tally
   !> kcal/mol/Å
   real(dp), intent(in) :: threshold
   type(error_type), allocatable, intent(out) :: error
   type(summary_record), target :: summary
   integer(i8), target :: counts(n_bins)

   if (.not. self%active) return
   counts = tally%counts
   summary%n_bins = n_bins
   summary%bin_width = bin_width
   summary%counts = c_loc(counts)
   summary%n_steps = tally%n_steps
   summary%first_step = tally%first_step
   summary%last_step = tally%last_step
   summary%n_above = tally%n_above
   summary%largest = tally%largest
   summary%largest_step = tally%largest_step
   summary%largest_atom = tally%largest_atom
   summary%threshold = threshold
   call call_sink(self, "summary", c_loc(summary), error)
end subroutine write_summary

end module fennix_holes
