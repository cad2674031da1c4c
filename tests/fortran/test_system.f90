! SPDX-License-Identifier: MIT
!> From files or arrays to a system: elements, boxes, restarts, and what is absurd.
module test_system
   use fennix_kinds, only : dp
   use fennix_error, only : error_type
   use fennix_settings, only : settings_type
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_system, only : build_system_from_arrays, start_type
   use input_samples, only : lines, settings_of, system_of
   use report_samples, only : remove, write_text
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_system_boxes, test_system_elements, test_system_restart, test_system_masses, test_system_arrays, &
      & test_system_arrays_refused

   character(len=*), parameter :: name = "system_test"
   character(len=*), parameter :: water = "| 1 O 0.1 0.2 0.3 1 2 3| 2 H 1.0 0.2 0.3 2 1| 3 H -0.1 1.1 0.3 2 1"

contains


!> The keyfile's box goes before that of the structure; absurd ones are refused
subroutine test_system_boxes(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start

   call system_of(name, "3|20 20 20 90 90 90" // water, "a-axis 30", cell, atoms, start, raised)
   call check(error, .not. allocated(raised) .and. abs(cell%vectors(3, 3) - 30.0_dp) <= 0.0_dp, &
      & "the keyfile goes first")
   call check(error, start%kind == "xyz" .and. start%note == "" .and. .not. start%has_velocity, "start")
   call system_of(name, "3" // water, "", cell, atoms, start, raised)
   call check(error, .not. allocated(raised) .and. .not. cell%periodic, "no box is no error")
   call system_of(name, "3" // water, "a-axis 20|alpha 30|beta 160", cell, atoms, start, raised)
   call expect_error(error, raised, "keywords, line 2|'a-axis'|volume")
   call system_of(name, "3" // water, "a-axis 1", cell, atoms, start, raised)
   call expect_error(error, raised, "keywords, line 2|'a-axis'|density|25")
   call system_of(name, "3|1 1 1 90 90 90" // water, "", cell, atoms, start, raised)
   call expect_error(error, raised, name // ".xyz, line 2|density")
   call remove(name // ".xyz")
end subroutine test_system_boxes


!> Names that do not tell are refused with the way out, which works
subroutine test_system_elements(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start

   call system_of(name, "1| 1 Qq 0 0 0 1", "", cell, atoms, start, raised)
   call expect_error(error, raised, name // ".xyz, line 2|'Qq'|atom 1|element Qq")
   call system_of(name, "1| 1 Qq 0 0 0 1", "element Qq Ar", cell, atoms, start, raised)
   call check(error, .not. allocated(raised) .and. all(atoms%number == 18), "stated in the keyfile")
   call system_of(name, "1||CA 0 0 0", "", cell, atoms, start, raised)
   call expect_error(error, raised, "line 3|'CA'|C or Ca|element CA C")
   call system_of(name, "2| 1 O 0 0 0 1| 2 Tc 3 0 0 1", "", cell, atoms, start, raised)
   call expect_error(error, raised, "line 3|atom 2|Tc|atomic weight")
   call remove(name // ".xyz")
end subroutine test_system_elements


!> NAME.dyn goes first, with its box, and says so
subroutine test_system_restart(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start

   call write_text(name // ".dyn", lines(" Number of Atoms and Title :| 3 water step 7 inner 21| Periodic Box " // &
      & "Dimensions :| 25 25 25| 90 90 90| Current Atomic Positions :| 5 5 5| 6 5 5| 5 6 5|" // &
      & " Current Atomic Velocities :| 1 2 3| 4 5 6| 7 8 9"))
   call system_of(name, "3" // water, "a-axis 20", cell, atoms, start, raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, start%kind == "dyn" .and. start%has_velocity .and. start%step == 7 .and. start%inner_step == 21, &
      & "start")
   call check(error, abs(atoms%position(1, 2) - 6.0_dp) <= 0.0_dp .and. abs(atoms%velocity(3, 3) - 9.0_dp) <= 0.0_dp, &
      & "positions and velocities")
   call check(error, abs(cell%vectors(1, 1) - 25.0_dp) <= 0.0_dp, "box of the restart")
   call check(error, index(start%note, name // ".dyn") > 0 .and. index(start%note, "step 7") > 0 &
      & .and. index(start%note, "25 x 25 x 25") > 0, start%note)
   call system_of(name, "2| 1 O 0 0 0 1| 2 O 3 0 0 1", "", cell, atoms, start, raised)
   call expect_error(error, raised, name // ".dyn, line 2|3 atoms|2")
   call remove(name // ".xyz")
   call remove(name // ".dyn")
end subroutine test_system_restart


!> Heavy hydrogens with the file's bonds, and with guessed ones
subroutine test_system_masses(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start
   real(dp), parameter :: heavy(3) = [10.015_dp, 4.0_dp, 4.0_dp]

   call system_of(name, "3" // water, "", cell, atoms, start, raised)
   call check(error, all(abs(atoms%mass - [15.999_dp, 1.008_dp, 1.008_dp]) < 1.0e-12_dp), "standard masses")
   call system_of(name, "3" // water, "heavy-hydrogen", cell, atoms, start, raised)
   call check(error, all(abs(atoms%mass - heavy) < 1.0e-12_dp) .and. start%note == "", "with the bonds of the file")
   call system_of(name, "3||O 0.1 0.2 0.3|H 1.0 0.2 0.3|H -0.1 1.1 0.3", "heavy-hydrogen", cell, atoms, start, raised)
   call check(error, all(abs(atoms%mass - heavy) < 1.0e-12_dp), "with guessed bonds")
   call check(error, index(start%note, "2 were guessed") > 0, "the note: " // start%note)
   call remove(name // ".xyz")
end subroutine test_system_masses


!> The same from arrays
subroutine test_system_arrays(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: settings
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start
   real(dp) :: position(3, 3), vectors(3, 3)

   position = reshape([0.1_dp, 0.2_dp, 0.3_dp, 1.0_dp, 0.2_dp, 0.3_dp, -0.1_dp, 1.1_dp, 0.3_dp], [3, 3])
   vectors = reshape([20.0_dp, 0.0_dp, 0.0_dp, 1.0_dp, 21.0_dp, 0.0_dp, 2.0_dp, 3.0_dp, 22.0_dp], [3, 3])
   call settings_of(settings, "ml-model a|heavy-hydrogen", "case 0", raised)
   call build_system_from_arrays(settings, [8, 1, 1], position, vectors, .true., cell, atoms, raised, start)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, atoms%n == 3 .and. all(atoms%name == ["O ", "H ", "H "]) .and. all(atoms%id == [0, 1, 2]), "atoms")
   call check(error, all(abs(cell%vectors - vectors) <= 0.0_dp) .and. cell%periodic, "cell")
   call check(error, all(abs(atoms%velocity) <= 0.0_dp) .and. abs(atoms%mass(2) - 4.0_dp) < 1.0e-12_dp, "masses")
   call check(error, start%kind == "arrays" .and. index(start%note, "guessed") > 0, "start")
   call build_system_from_arrays(settings, [8, 1, 1], position, 0*vectors, .false., cell, atoms, raised)
   call check(error, .not. allocated(raised) .and. .not. cell%periodic, "isolated")
end subroutine test_system_arrays


subroutine test_system_arrays_refused(error)
   use, intrinsic :: ieee_arithmetic, only : ieee_quiet_nan, ieee_value
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: position(3, 1), vectors(3, 3)

   position = 0.0_dp
   vectors = reshape([9.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 9.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 9.0_dp], [3, 3])
   call refused(error, [0], position, vectors, "1 to 118|got 0")
   call refused(error, [119], position, vectors, "1 to 118|got 119")
   call refused(error, [43], position, vectors, "Tc|atomic weight")
   call refused(error, [8], position, -vectors, "volume")
   call refused(error, [8], position, vectors/10, "density")
   position(2, 1) = ieee_value(position(2, 1), ieee_quiet_nan)
   call refused(error, [8], position, vectors, "finite")
   call refused(error, [integer ::], position(:, 1:0), vectors, "at least one atom")
end subroutine test_system_arrays_refused


subroutine refused(error, numbers, position, vectors, parts)
   type(error_type), allocatable, intent(inout) :: error
   integer, intent(in) :: numbers(:)
   real(dp), intent(in) :: position(:, :), vectors(3, 3)
   character(len=*), intent(in) :: parts
   type(error_type), allocatable :: raised
   type(settings_type) :: settings
   type(cell_type) :: cell
   type(atoms_type) :: atoms

   call settings_of(settings, "ml-model a", "case 0", raised)
   call build_system_from_arrays(settings, numbers, position, vectors, .true., cell, atoms, raised)
   call expect_error(error, raised, parts)
end subroutine refused

end module test_system
