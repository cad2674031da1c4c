! SPDX-License-Identifier: MIT
!> Hydrogen masses by Tinker's rule, and bonds guessed from distances.
module test_masses
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, to_text
   use fennix_cell, only : cell_type, new_cell, open_cell
   use fennix_atoms, only : atoms_type
   use fennix_bonds, only : guess_bonds, set_bonds
   use fennix_elements, only : standard_mass
   use fennix_heavy_hydrogen, only : repartition_masses
   use test_runner, only : check
   implicit none
   private
   public :: test_masses_water, test_masses_methyl, test_masses_borrowed, test_masses_alone, test_masses_guessed, &
      & test_masses_guessed_periodic

contains


!> Hydrogens of water get 4, oxygen keeps the rest
subroutine test_masses_water(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms

   atoms = molecule([8, 1, 1], reshape([1, 2, 1, 3], [2, 2]))
   call repartition_masses(atoms)
   call expect_masses(error, atoms, [15.999_dp + 2.016_dp - 8.0_dp, 4.0_dp, 4.0_dp])
end subroutine test_masses_water


!> Chlorine lends what a methyl lacks: first pass (12.011 + 3 x 1.008)/4 each, then all from the heavy neighbours
subroutine test_masses_methyl(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms
   real(dp) :: shared, missing

   shared = (12.011_dp + 3*1.008_dp)/4
   missing = 4.0_dp - shared
   atoms = molecule([6, 1, 1, 1, 17], reshape([1, 2, 1, 3, 1, 4, 1, 5], [2, 4]))
   call repartition_masses(atoms)
   call expect_masses(error, atoms, [4.0_dp, 4.0_dp, 4.0_dp, 4.0_dp, 35.45_dp - 4*missing])
end subroutine test_masses_methyl


!> Who lends: the first neighbour in rising order that stays heavy enough, one bond away before two
subroutine test_masses_borrowed(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms
   real(dp) :: missing

   ! CH3-CH3: both carbons and all hydrogens have the same mass, nobody can lend
   atoms = molecule([6, 1, 1, 1, 6, 1, 1, 1], reshape([1, 2, 1, 3, 1, 4, 1, 5, 5, 6, 5, 7, 5, 8], [2, 7]))
   missing = 4.0_dp - (12.011_dp + 3*1.008_dp)/4
   call repartition_masses(atoms)
   call expect_masses(error, atoms, spread(4.0_dp - missing, 1, 8))

   ! Cl-CH3 with chlorine before carbon in the list, and a second lender two bonds away: O-Cl-CH3
   atoms = molecule([17, 6, 1, 1, 1, 8], reshape([1, 2, 2, 3, 2, 4, 2, 5, 1, 6], [2, 5]))
   call repartition_masses(atoms)
   call expect_masses(error, atoms, [35.45_dp - 4*missing, 4.0_dp, 4.0_dp, 4.0_dp, 4.0_dp, 15.999_dp])
end subroutine test_masses_borrowed


!> Without anything to take from, masses stay: a proton, helium beside it, and molecular hydrogen
subroutine test_masses_alone(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms

   atoms = molecule([1, 2, 1, 1], reshape([3, 4], [2, 1]))
   call repartition_masses(atoms)
   call expect_masses(error, atoms, [1.008_dp, 4.0026_dp, 1.008_dp, 1.008_dp])
end subroutine test_masses_alone


!> Hydrogen bonds are no bonds, and a hydrogen has one partner
subroutine test_masses_guessed(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms

   atoms = molecule([8, 1, 1, 8, 1, 1], reshape([integer ::], [2, 0]))
   atoms%position = reshape([0.0_dp, 0.0_dp, 0.0_dp, 0.957_dp, 0.0_dp, 0.0_dp, -0.24_dp, 0.927_dp, 0.0_dp, &
      & 2.1_dp, 0.0_dp, 0.0_dp, 2.7_dp, 0.75_dp, 0.0_dp, 2.7_dp, -0.75_dp, 0.0_dp], [3, 6])
   call guess_bonds(atoms, open_cell())
   call check(error, all(atoms%bond_first == [1, 3, 4, 5, 7, 8, 9]), "wrong numbers of bonds")
   call check(error, all(atoms%bond == [2, 3, 1, 1, 5, 6, 4, 4]), "wrong bonds")
end subroutine test_masses_guessed


!> Bonds across the faces of small and large cells, with atoms far outside them
subroutine test_masses_guessed_periodic(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms
   type(cell_type) :: cell
   type(error_type), allocatable :: raised
   real(dp), parameter :: edges(4) = [4.0_dp, 7.0_dp, 12.0_dp, 40.0_dp]
   integer :: k

   do k = 1, size(edges)
      call new_cell(cell, [edges(k), 1.1_dp*edges(k), edges(k)], [80.0_dp, 100.0_dp, 70.0_dp], raised)
      atoms = molecule([8, 1, 1], reshape([integer ::], [2, 0]))
      atoms%position(:, 1) = [0.1_dp, 0.1_dp, 0.1_dp]
      atoms%position(:, 2) = atoms%position(:, 1) + [-0.957_dp, 0.0_dp, 0.0_dp] + 3*cell%vectors(:, 1)
      atoms%position(:, 3) = atoms%position(:, 1) + [0.24_dp, -0.5_dp, -0.78_dp] - 2*cell%vectors(:, 3) &
         & + cell%vectors(:, 2)
      call guess_bonds(atoms, cell)
      call check(error, size(atoms%bond) == 4, to_text(size(atoms%bond)/2) // " bonds of water in a cell of " // &
         & to_text(edges(k)) // " Angstrom")
   end do
end subroutine test_masses_guessed_periodic


!> Atoms of these elements with these bonds, all at the origin
function molecule(numbers, pairs) result(atoms)
   integer, intent(in) :: numbers(:)
   !> (2, n_bonds)
   integer, intent(in) :: pairs(:, :)
   type(atoms_type) :: atoms

   atoms%n = size(numbers)
   allocate(atoms%number, source=numbers)
   allocate(atoms%mass, source=standard_mass(numbers))
   allocate(atoms%position(3, atoms%n), source=0.0_dp)
   call set_bonds(atoms, pairs)
end function molecule


!> The masses are these, and add up to those of the elements
subroutine expect_masses(error, atoms, expected)
   type(error_type), allocatable, intent(inout) :: error
   type(atoms_type), intent(in) :: atoms
   real(dp), intent(in) :: expected(:)
   integer :: i

   do i = 1, atoms%n
      call check(error, abs(atoms%mass(i) - expected(i)) < 1.0e-12_dp, "atom " // to_text(i) // " has mass " // &
         & to_text(atoms%mass(i)) // ", expected " // to_text(expected(i)))
   end do
   call check(error, abs(sum(atoms%mass) - sum(standard_mass(int(atoms%number)))) < 1.0e-11_dp, &
      & "the total mass changed")
end subroutine expect_masses

end module test_masses
