! SPDX-License-Identifier: MIT
!> Tinker's restart file .dyn: 16 digits, so a start from it is approximate; NAME.chk is the exact one.
module fennix_dyn
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_files, only : check_size, replace_file
   use fennix_cell, only : cell_type, lengths_and_angles
   use fennix_atoms, only : atoms_type
   use fennix_wrap, only : check_orientation, wrap_positions
   implicit none
   private
   public :: write_dyn, restart_title

contains


!> Write the restart under a temporary name, then put it in the place of the earlier one.
!> Positions are folded; position + vectors . (wrap index) is the unwrapped one. An isolated system has a box of zeros.
subroutine write_dyn(path, atoms, cell, acceleration, alternate, title, error)
   character(len=*), intent(in) :: path
   type(atoms_type), intent(in) :: atoms
   type(cell_type), intent(in) :: cell
   !> Of the accurate force, and of the fast one (the accurate one again with a single level), Å/ps², (3, n)
   real(dp), intent(in) :: acceleration(:, :), alternate(:, :)
   !> Made by restart_title, so that the next start knows its step
   character(len=*), intent(in) :: title
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: temporary
   character(len=256) :: reason
   integer :: unit, status
   integer(i8) :: position

   call check_orientation(cell, error)
   if (allocated(error)) return
   temporary = trim(path) // ".tmp"
   open(newunit=unit, file=temporary, access="stream", form="formatted", status="replace", action="write", &
      & iostat=status, iomsg=reason)
   if (status == 0) then
      call write_blocks(unit, atoms, cell, acceleration, alternate, title, status, reason)
      inquire(unit=unit, pos=position)
      close(unit)
   end if
   if (status /= 0) then
      call fatal_error(error, "cannot write '" // temporary // "': " // trim(reason))
      return
   end if
   call check_size(temporary, position - 1, error)
   if (.not. allocated(error)) call replace_file(temporary, path, error)
end subroutine write_dyn


!> The file's blocks, each under its label
subroutine write_blocks(unit, atoms, cell, acceleration, alternate, title, status, reason)
   integer, intent(in) :: unit
   type(atoms_type), intent(in) :: atoms
   type(cell_type), intent(in) :: cell
   !> Å/ps², (3, n)
   real(dp), intent(in) :: acceleration(:, :), alternate(:, :)
   character(len=*), intent(in) :: title
   !> Zero when all was written
   integer, intent(out) :: status
   character(len=*), intent(inout) :: reason
   real(dp) :: lengths(3), angles(3)
   real(dp), allocatable :: folded(:, :)
   integer(i4), allocatable :: image(:, :)

   lengths = 0.0_dp
   angles = 90.0_dp
   if (cell%periodic) call lengths_and_angles(cell, lengths, angles)
   allocate(folded(3, atoms%n), image(3, atoms%n))
   call wrap_positions(cell, atoms%position, folded, image)

   write(unit, "(a)", iostat=status, iomsg=reason) " Number of Atoms and Title :"
   if (status == 0) write(unit, merge("(i6, 2x, a)", "(i9, 2x, a)", atoms%n < 100000), iostat=status, iomsg=reason) &
      & atoms%n, trim(title)
   call write_block(unit, " Periodic Box Dimensions :", reshape([lengths, angles], [3, 2]), status, reason)
   call write_block(unit, " Current Atomic Positions :", folded, status, reason)
   call write_block(unit, " Current Atomic Velocities :", atoms%velocity, status, reason)
   call write_block(unit, " Current Atomic Accelerations :", acceleration, status, reason)
   call write_block(unit, " Alternate Atomic Accelerations :", alternate, status, reason)
   if (status /= 0) return
   write(unit, "(a)", iostat=status, iomsg=reason) " pbc wrap index :"
   if (status == 0) write(unit, wrap_format(image), iostat=status, iomsg=reason) image
   if (status /= 0) reason = "pbc wrap index : " // reason
end subroutine write_blocks


!> One label and its triples, unless something failed before
subroutine write_block(unit, label, triples, status, reason)
   integer, intent(in) :: unit
   character(len=*), intent(in) :: label
   !> (3, n)
   real(dp), intent(in) :: triples(:, :)
   integer, intent(inout) :: status
   character(len=*), intent(inout) :: reason

   if (status /= 0) return
   write(unit, "(a)", iostat=status, iomsg=reason) label
   if (status == 0) write(unit, "(3d26.16)", iostat=status, iomsg=reason) triples
   if (status /= 0) reason = trim(adjustl(label)) // " " // reason
end subroutine write_block


!> Tinker's 3i3 while the numbers stay apart in it
pure function wrap_format(image) result(format)
   integer(i4), intent(in) :: image(:, :)
   character(len=:), allocatable :: format

   format = "(3i12)"
   if (all(image > -10 .and. image < 100)) format = "(3i3)"
end function wrap_format


!> Title with the step at its end, replacing the one that an earlier restart left there
function restart_title(title, step, inner_step, time) result(text)
   character(len=*), intent(in) :: title
   !> Outer step, absolute index of the inner step
   integer(i8), intent(in) :: step, inner_step
   !> Simulated time, ps
   real(dp), intent(in) :: time
   character(len=:), allocatable :: text
   character(len=40) :: number
   integer :: old

   text = trim(title)
   old = index(text, "  step ", back=.true.)
   if (old > 0) then
      if (index(text(old:), " inner ") > 0) text = trim(text(1:old))
   end if
   text = text // "  step " // to_text(step) // " inner " // to_text(inner_step)
   write(number, "(f0.9)") time
   if (number(1:1) == ".") number = "0" // number
   text = text // " time " // trim(number)
end function restart_title

end module fennix_dyn
