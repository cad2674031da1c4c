! SPDX-License-Identifier: MIT
!> The real structures of the project's shared folder: counts, elements, boxes, bonds, restart. Skipped without it.
module test_shared_systems
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, to_text
   use fennix_settings, only : settings_type
   use fennix_cell, only : cell_type, volume
   use fennix_atoms, only : atoms_type
   use fennix_bonds, only : guess_bonds
   use fennix_system, only : build_system, start_type
   use fennix_text_file, only : file_exists, read_text
   use input_samples, only : settings_of
   use test_runner, only : check, expect_error, skip
   implicit none
   private
   public :: test_shared_waters, test_shared_solutions, test_shared_proteins, test_shared_molecule, &
      & test_shared_restart, test_shared_keyfile, test_shared_bonds

   integer, parameter :: hcnosnacl(7) = [1, 6, 7, 8, 16, 11, 17]

contains


subroutine test_shared_waters(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=10), parameter :: names(5) = [character(len=10) :: "watertiny", "watersmall", "waterbox", "waterbig", &
      & "waterhuge"]
   integer, parameter :: n(5) = [27, 216, 500, 1600, 4000]
   integer :: k

   do k = 1, size(names)
      if (.not. allocated(error)) call expect(trim(names(k)), [2*n(k), 0, 0, n(k), 0, 0, 0], 2*n(k), error)
   end do
end subroutine test_shared_waters


subroutine test_shared_solutions(error)
   type(error_type), allocatable, intent(out) :: error

   call expect("benzenebox", [1998, 6, 0, 996, 0, 0, 0], 2004, error)
   if (.not. allocated(error)) call expect("xylylenediamine_water", [4288, 8, 2, 2137, 0, 0, 0], 4298, error)
   if (.not. allocated(error)) call expect("nacl_amber", [428, 0, 0, 214, 0, 1, 1], 428, error)
end subroutine test_shared_solutions


!> Force-field names (CA, HN, HO, SH ...) lead to the same elements as symbols
subroutine test_shared_proteins(error)
   type(error_type), allocatable, intent(out) :: error
   integer, parameter :: dhfr(7) = [15267, 805, 216, 7263, 7, 0, 0]

   call expect("dhfr_elements", dhfr, 16569, error)
   if (.not. allocated(error)) call expect("dhfr2_tinker", dhfr, 16569, error)
end subroutine test_shared_proteins


subroutine test_shared_molecule(error)
   type(error_type), allocatable, intent(out) :: error

   call expect("aspirin", [8, 9, 0, 4, 0, 0, 0], 0, error)
end subroutine test_shared_molecule


!> A real Tinker restart beside its structure, and a real box
subroutine test_shared_restart(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start

   call read_system("ubiquitin2", "", cell, atoms, start, raised, error)
   if (allocated(error)) return
   call check(error, .not. allocated(raised), "ubiquitin2 was refused")
   call check(error, start%kind == "dyn" .and. start%has_velocity .and. start%step == -1, "start")
   call check(error, abs(volume(cell) - 54.99_dp*41.91_dp*41.91_dp) < 1.0e-6_dp, "box of the restart")
   call check(error, all(counts_of(atoms) == [6300, 378, 105, 2953, 1, 0, 0]), "elements of ubiquitin")
   call check(error, maxval(abs(atoms%velocity)) > 1.0_dp .and. maxval(abs(atoms%velocity)) < 100.0_dp, "velocities")
   call read_system("benzenebox", "a-axis 3", cell, atoms, start, raised, error)
   call expect_error(error, raised, "'a-axis'|density")
end subroutine test_shared_restart


!> A real Tinker-HP keyfile: what it lacks is told; with that, everything else is understood
subroutine test_shared_keyfile(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: settings
   character(len=:), allocatable :: folder, text
   integer :: k

   call shared_folder(folder, error)
   if (allocated(error)) return
   call read_text(folder // "ubiquitin2.key", text, raised)
   do k = 1, len(text)
      if (text(k:k) == new_line("a")) text(k:k) = "|"
   end do
   call settings_of(settings, text, "case 0", raised)
   call expect_error(error, raised, "'ml-model'|missing")
   call settings_of(settings, text // "ml-model a", "case 0", raised)
   call expect_error(error, raised, "'baoabrespa'|'ml-model-fast'")
   call settings_of(settings, text // "ml-model a|ml-model-fast b", "case 0", raised)
   call check(error, .not. allocated(raised), "the keyfile was refused")
   if (allocated(error)) return
   call check(error, settings%integrator == "baoabrespa" .and. settings%seed == 12345 .and. settings%verbose, "values")
   call check(error, index(settings%ignored_keywords, "parameters, vdw-cutoff, ewald, ewald-cutoff, polar-alg") > 0, &
      & settings%ignored_keywords)
end subroutine test_shared_keyfile


!> Guessed bonds are those of the file
subroutine test_shared_bonds(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start
   integer, allocatable :: bond(:), first(:)
   character(len=12), parameter :: names(3) = [character(len=12) :: "watersmall", "benzenebox", "dhfr2_tinker"]
   integer :: k

   do k = 1, size(names)
      call read_system(trim(names(k)), "", cell, atoms, start, raised, error)
      if (allocated(error)) return
      allocate(bond, source=atoms%bond)
      allocate(first, source=atoms%bond_first)
      call guess_bonds(atoms, cell)
      call check(error, size(bond) == size(atoms%bond), trim(names(k)) // ": " // to_text(size(atoms%bond)/2) // &
         & " bonds guessed, " // to_text(size(bond)/2) // " in the file")
      if (allocated(error)) return
      call check(error, all(bond == atoms%bond) .and. all(first == atoms%bond_first), trim(names(k)) // ": other bonds")
      deallocate(bond, first)
   end do
end subroutine test_shared_bonds


!> A structure has these numbers of H, C, N, O, S, Na, Cl and this many bonds
subroutine expect(name, counts, n_bonds, error)
   character(len=*), intent(in) :: name
   integer, intent(in) :: counts(7), n_bonds
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start

   call read_system(name, "", cell, atoms, start, raised, error)
   if (allocated(error)) return
   if (allocated(raised)) then
      call check(error, .false., name // " was refused: " // raised%message)
      return
   end if
   call check(error, atoms%n == sum(counts) .and. all(counts_of(atoms) == counts), name // ": wrong elements")
   call check(error, size(atoms%bond) == 2*n_bonds, name // ": " // to_text(size(atoms%bond)/2) // " bonds")
   call check(error, cell%periodic .eqv. name == "benzenebox", name // ": only benzenebox has a box in the file")
end subroutine expect


pure function counts_of(atoms) result(counts)
   type(atoms_type), intent(in) :: atoms
   integer :: counts(7)
   integer :: k

   counts = [(count(atoms%number == hcnosnacl(k)), k=1, 7)]
end function counts_of


!> Build a system of the shared folder
subroutine read_system(name, keywords, cell, atoms, start, raised, error)
   character(len=*), intent(in) :: name, keywords
   type(cell_type), intent(out) :: cell
   type(atoms_type), intent(out) :: atoms
   type(start_type), intent(out) :: start
   !> What building said
   type(error_type), allocatable, intent(out) :: raised
   !> The test is skipped
   type(error_type), allocatable, intent(out) :: error
   type(settings_type) :: settings
   character(len=:), allocatable :: folder

   call shared_folder(folder, error)
   if (allocated(error)) return
   call settings_of(settings, "ml-model water-accurate|" // keywords, "case 0", raised)
   if (allocated(raised)) return
   settings%name = folder // name
   settings%structure_file = folder // name // ".xyz"
   call build_system(settings, cell, atoms, start, raised)
end subroutine read_system


!> PYFENNIX_SHARED, else the folder shared beside the checkout; the test is skipped when it is not there
subroutine shared_folder(folder, error)
   character(len=:), allocatable, intent(out) :: folder
   type(error_type), allocatable, intent(out) :: error
   character(len=1024) :: value

   call get_environment_variable("PYFENNIX_SHARED", value)
   if (len_trim(value) == 0) then
      call get_environment_variable("PYFENNIX_SOURCE", value)
      if (len_trim(value) == 0) value = "."
      value = trim(value) // "/../shared"
   end if
   folder = trim(value) // "/systems/"
   if (.not. file_exists(folder // "watersmall.xyz")) call skip(error, "no structures in " // folder // &
      & " (set PYFENNIX_SHARED)")
end subroutine shared_folder

end module test_shared_systems
