! SPDX-License-Identifier: MIT
!> Structures and archives: the forms that are understood, and one sentence for each that is not.
module test_structure
   use fennix_kinds, only : dp
   use fennix_error, only : error_type
   use fennix_cell, only : cell_type, lengths_and_angles, open_cell
   use fennix_atoms, only : atoms_type
   use fennix_structure, only : read_structure
   use fennix_arc, only : arc_type, close_arc, next_frame, open_arc
   use input_samples, only : lines
   use report_samples, only : remove, write_text
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_structure_tinker, test_structure_box, test_structure_plain, test_structure_counts, &
      & test_structure_columns, test_structure_bonds, test_structure_archive, test_structure_archive_mistakes

   character(len=*), parameter :: path = "structure_test.xyz", arc_path = "structure_test.arc"
   character(len=*), parameter :: box = " 10.0 11.0 12.0 90.0 95.0 90.0"
   character(len=*), parameter :: water = " 1 O 0.1 0.2 0.3 1 2 3| 2 H 1.0 0.2 0.3 2 1| 3 H -0.1D0 1.1 0.3 2 1"

contains


!> Free columns, with the title, types and bonds
subroutine test_structure_tinker(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   integer, allocatable :: line_of(:)

   call read_text_as("  3  one water|" // water // "||", cell, atoms, line_of, raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, atoms%title == "one water" .and. atoms%n == 3 .and. .not. cell%periodic, "title, count, no box")
   call check(error, all(atoms%name == ["O       ", "H       ", "H       "]) .and. &
      & all(atoms%kind == [1, 2, 2]), "names")
   call check(error, all(abs(atoms%position(:, 3) - [-0.1_dp, 1.1_dp, 0.3_dp]) <= 0.0_dp), "positions")
   call check(error, all(atoms%bond_first == [1, 3, 4, 5]) .and. all(atoms%bond == [2, 3, 1, 1]), "bonds")
   call check(error, all(line_of == [2, 3, 4]) .and. all(atoms%id == [0, 1, 2]), "lines and ids")
end subroutine test_structure_tinker


!> A box line; a blank line instead; something else
subroutine test_structure_box(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   integer, allocatable :: line_of(:)
   real(dp) :: lengths(3), angles(3)

   call read_text_as("3|" // box // "|" // water, cell, atoms, line_of, raised)
   call check(error, .not. allocated(raised) .and. cell%periodic .and. line_of(1) == 3, "refused")
   if (allocated(error)) return
   call lengths_and_angles(cell, lengths, angles)
   call check(error, all(abs(lengths - [10, 11, 12]) < 1.0e-12_dp) .and. all(abs(angles - [90, 95, 90]) < 1.0e-12_dp), &
      & "box")
   call read_text_as("3||" // water, cell, atoms, line_of, raised)
   call check(error, .not. allocated(raised) .and. .not. cell%periodic, "a blank line was refused")
   call refused(error, "3| 10 10 10 90 90|" // water, "line 2|box|10 10 10 90 90")
   call refused(error, "3| 10 nan 10 90 90 90|" // water, "line 2|atom 1 of 3|'10'")
   call refused(error, "3| 10 -1 10 90 90 90|" // water, "line 2|volume")
   call refused(error, "3| 10 10 10 20 150 90|" // water, "line 2|volume")
end subroutine test_structure_box


!> Count, comment, symbol and coordinates
subroutine test_structure_plain(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   integer, allocatable :: line_of(:)

   call read_text_as("2||O 0 0 0|H 0.9 0 0 12 extra", cell, atoms, line_of, raised)
   call check(error, .not. allocated(raised) .and. atoms%name(2) == "H" .and. size(atoms%bond) == 0, "blank comment")
   call read_text_as("2|step 5, energy -1.5|O 0 0 0|H 0.9 0 0", cell, atoms, line_of, raised)
   call check(error, .not. allocated(raised) .and. atoms%name(1) == "O", "a comment")
   call read_text_as("2|" // box // "|O 0 0 0|H 0.9 0 0", cell, atoms, line_of, raised)
   call check(error, .not. allocated(raised) .and. cell%periodic, "a box instead of the comment")
   call refused(error, "1|Lattice=""5 0 0 0 5 0 0 0 5""|O 0 0 0", "line 2|lattice|a-axis")
end subroutine test_structure_plain


!> More or fewer atoms than announced
subroutine test_structure_counts(error)
   type(error_type), allocatable, intent(out) :: error

   call refused(error, "4  four|" // water, "3 of 4 atoms|line 4")
   call refused(error, "2  two| 1 O 0 0 0 1 2| 2 H 1 0 0 2 1| 3 H 0 1 0 2", "line 4|2 atoms")
   call refused(error, "0|" // water, "line 1|number of atoms|'0'")
   call refused(error, "three|" // water, "line 1|number of atoms|'three'")
   call refused(error, "300000000|" // water, "line 1|300000000|characters")
   call refused(error, "|", "empty")
end subroutine test_structure_counts


!> Truncated lines, wrong indices, coordinates that are no numbers
subroutine test_structure_columns(error)
   type(error_type), allocatable, intent(out) :: error

   call refused(error, "2| 1 O 0.1 0.2 0.3 1 2| 2 H 1.0 0.2", "line 3|atom 2 of 2|too short")
   call refused(error, "2| 1 O 0.1 0.2 0.3 1 2| 3 H 1.0 0.2 0.1 2 1", "line 3|atom 2 of 2|'3'")
   call refused(error, "2| 1 O 0.1 NaN 0.3 1 2| 2 H 1.0 0.2 0.1 2 1", "line 2|y coordinate|atom 1|'NaN'")
   call refused(error, "2| 1 O 0.1 0.2 ****** 1 2| 2 H 1.0 0.2 0.1 2 1", "line 2|z coordinate|'******'")
   call refused(error, "2| 1 O 0.1 0.2 0.3 x 2| 2 H 1.0 0.2 0.1 2 1", "line 2|type|'x'")
   call refused(error, "1| 1 LONGNAMES 0.1 0.2 0.3 1", "line 2|'LONGNAMES'|8 letters")
end subroutine test_structure_columns


!> Bonds that lead nowhere or one way only
subroutine test_structure_bonds(error)
   type(error_type), allocatable, intent(out) :: error

   call refused(error, "2| 1 O 0 0 0 1 2| 2 H 1 0 0 2", "line 2|atom 1|atom 2|line 3")
   call refused(error, "2| 1 O 0 0 0 1 3| 2 H 1 0 0 2 1", "line 2|1 to 2|'3'")
   call refused(error, "2| 1 O 0 0 0 1 1| 2 H 1 0 0 2 1", "line 2|'1'")
end subroutine test_structure_bonds


!> Two frames, each with its box, then the end
subroutine test_structure_archive(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(arc_type) :: arc
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   integer, allocatable :: line_of(:)
   logical :: done

   call read_text_as("3|" // box // "|" // water, cell, atoms, line_of, raised)
   call write_text(arc_path, lines("3 first|" // water // "|3 second|20 20 20 90 90 90| 1 O 5 5 5 1 2 3|" // &
      & " 2 H 6 5 5 2 1| 3 H 5 6 5 2 1"))
   call open_arc(arc, arc_path, raised)
   call next_frame(arc, cell, atoms, done, raised)
   call check(error, .not. done .and. atoms%title == "first" .and. abs(cell%vectors(1, 1) - 10.0_dp) <= 0.0_dp, "first")
   call next_frame(arc, cell, atoms, done, raised)
   call check(error, .not. done .and. abs(atoms%position(1, 2) - 6.0_dp) <= 0.0_dp, "second frame")
   call check(error, abs(cell%vectors(1, 1) - 20.0_dp) <= 0.0_dp, "box of the second frame")
   call next_frame(arc, cell, atoms, done, raised)
   call check(error, done .and. .not. allocated(raised), "there are two frames only")
   call close_arc(arc)
   call remove(arc_path)
   call remove(path)
end subroutine test_structure_archive


!> An archive of another system, and a truncated one
subroutine test_structure_archive_mistakes(error)
   type(error_type), allocatable, intent(out) :: error

   call archive_refused(error, "2| 1 O 0 0 0 1 2| 2 H 1 0 0 2 1", "frame 1|2 atoms|3")
   call archive_refused(error, "3| 1 O 0 0 0 1| 2 C 1 0 0 2| 3 H 1 1 0 2", "line 3|atom 2|'C'|'H'")
   call archive_refused(error, "3| 1 O 0 0 0 1| 2 H 1 0 0 2", "2 of 3 atoms")
end subroutine test_structure_archive_mistakes


subroutine archive_refused(error, text, parts)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: text, parts
   type(error_type), allocatable :: raised
   type(arc_type) :: arc
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   integer, allocatable :: line_of(:)
   logical :: done

   call read_text_as("3|" // water, cell, atoms, line_of, raised)
   call write_text(arc_path, lines(text))
   call open_arc(arc, arc_path, raised)
   call next_frame(arc, cell, atoms, done, raised)
   call expect_error(error, raised, arc_path // "|" // parts)
   call close_arc(arc)
   call remove(arc_path)
   call remove(path)
end subroutine archive_refused


subroutine refused(error, text, parts)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: text, parts
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   integer, allocatable :: line_of(:)

   call read_text_as(text, cell, atoms, line_of, raised)
   call expect_error(error, raised, path // "|" // parts)
   call remove(path)
end subroutine refused


subroutine read_text_as(text, cell, atoms, line_of, error)
   character(len=*), intent(in) :: text
   type(cell_type), intent(out) :: cell
   type(atoms_type), intent(out) :: atoms
   integer, allocatable, intent(out) :: line_of(:)
   type(error_type), allocatable, intent(out) :: error

   cell = open_cell()
   call write_text(path, lines(text))
   call read_structure(path, cell, atoms, line_of, error)
end subroutine read_text_as

end module test_structure
