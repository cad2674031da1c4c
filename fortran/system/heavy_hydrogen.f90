! SPDX-License-Identifier: MIT
!> Hydrogen mass repartitioning by Tinker's rule.
module fennix_heavy_hydrogen
   use fennix_kinds, only : dp
   use fennix_atoms, only : atoms_type
   implicit none
   private
   public :: repartition_masses

   !> Mass that hydrogens aim at, g/mol
   real(dp), parameter :: target_mass = 4.0_dp
   integer, parameter :: hydrogen = 1

contains


!> Move mass from heavy atoms to the hydrogens bonded to them; the total stays the same. Needs bonds.
subroutine repartition_masses(atoms)
   type(atoms_type), intent(inout) :: atoms
   integer :: i

   do i = 1, atoms%n
      call share_with_hydrogens(atoms, i)
   end do
   do i = 1, atoms%n
      if (atoms%mass(i) < target_mass) call borrow(atoms, i)
   end do
end subroutine repartition_masses


!> First pass: the hydrogens of an atom get the target mass, or all get the same where that is less
subroutine share_with_hydrogens(atoms, i)
   type(atoms_type), intent(inout) :: atoms
   integer, intent(in) :: i
   integer, allocatable :: partner(:)
   real(dp) :: mass

   allocate(partner, source=partners(atoms, i))
   partner = pack(partner, atoms%number(partner) == hydrogen)
   if (size(partner) == 0) return
   mass = min(target_mass, (atoms%mass(i) + sum(atoms%mass(partner)))/(size(partner) + 1))
   atoms%mass(i) = atoms%mass(i) - sum(mass - atoms%mass(partner))
   atoms%mass(partner) = mass
end subroutine share_with_hydrogens


!> Second pass: an atom still too light takes what is missing from the first atom one bond away, else two bonds
!> away, that stays above the target mass
subroutine borrow(atoms, i)
   type(atoms_type), intent(inout) :: atoms
   integer, intent(in) :: i
   integer, allocatable :: lender(:)
   real(dp) :: missing
   integer :: k

   missing = target_mass - atoms%mass(i)
   allocate(lender, source=[partners(atoms, i), second_partners(atoms, i)])
   do k = 1, size(lender)
      if (atoms%mass(lender(k)) > target_mass + missing) then
         atoms%mass(lender(k)) = atoms%mass(lender(k)) - missing
         atoms%mass(i) = target_mass
         return
      end if
   end do
end subroutine borrow


!> Atoms bonded to i, in rising order
pure function partners(atoms, i)
   type(atoms_type), intent(in) :: atoms
   integer, intent(in) :: i
   integer, allocatable :: partners(:)

   allocate(partners, source=atoms%bond(atoms%bond_first(i):atoms%bond_first(i + 1) - 1))
end function partners


!> Atoms two bonds away from i, in rising order
pure function second_partners(atoms, i) result(second)
   type(atoms_type), intent(in) :: atoms
   integer, intent(in) :: i
   integer, allocatable :: second(:)
   integer, allocatable :: first(:), candidate(:)
   integer :: k, lowest

   allocate(first, source=partners(atoms, i))
   allocate(candidate(0))
   do k = 1, size(first)
      candidate = [candidate, partners(atoms, first(k))]
   end do
   do k = 1, size(first)
      candidate = pack(candidate, candidate /= first(k))
   end do
   candidate = pack(candidate, candidate /= i)
   allocate(second(0))
   do while (size(candidate) > 0)
      lowest = minval(candidate)
      second = [second, lowest]
      candidate = pack(candidate, candidate /= lowest)
   end do
end function second_partners

end module fennix_heavy_hydrogen
