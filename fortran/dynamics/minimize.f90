! SPDX-License-Identifier: MIT
!> The FIRE minimiser: damped dynamics that speeds up while it goes downhill.
!> Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); restart rule of Guénolé et al., Comput. Mater. Sci. 175,
!> 109584 (2020).
module fennix_minimize
   use fennix_kinds, only : dp
   use fennix_atoms, only : atoms_type
   implicit none
   private
   public :: fire_type, fire_move, rms_force, largest_force

   !> All masses are one: positions in Å, forces in kcal/mol/Å, the time step carries the scale
   type :: fire_type
      !> Fictitious velocities, (3, n)
      real(dp), allocatable :: velocity(:, :)
      real(dp) :: dt = 0.02_dp
      real(dp) :: mixing = 0.1_dp
      !> Moves downhill since the last uphill one
      integer :: n_downhill = 0
   end type fire_type

   real(dp), parameter :: dt_largest = 0.1_dp, dt_smallest = 1.0e-4_dp
   real(dp), parameter :: faster = 1.1_dp, slower = 0.5_dp, mixing_start = 0.1_dp, mixing_decay = 0.99_dp
   integer, parameter :: delay = 5
   !> No atom moves farther than this at once, Å
   real(dp), parameter :: longest_move = 0.1_dp

contains


!> Move the atoms once along the forces
subroutine fire_move(self, atoms, forces)
   type(fire_type), intent(inout) :: self
   type(atoms_type), intent(inout) :: atoms
   !> kcal/mol/Å, (3, n)
   real(dp), intent(in) :: forces(:, :)
   real(dp) :: power, length, longest

   if (.not. allocated(self%velocity)) allocate(self%velocity(3, atoms%n), source=0.0_dp)
   power = sum(self%velocity*forces)
   if (power > 0.0_dp) then
      self%n_downhill = self%n_downhill + 1
      if (self%n_downhill > delay) then
         self%dt = min(self%dt*faster, dt_largest)
         self%mixing = self%mixing*mixing_decay
      end if
   else if (self%n_downhill > 0 .or. power < 0.0_dp) then
      ! Half a step back, since the minimum along the path lies behind (Guénolé 2020)
      atoms%position = atoms%position - 0.5_dp*self%dt*self%velocity
      self%velocity = 0.0_dp
      self%n_downhill = 0
      self%dt = max(self%dt*slower, dt_smallest)
      self%mixing = mixing_start
   end if
   self%velocity = self%velocity + self%dt*forces
   length = norm2(forces)
   if (length > 0.0_dp) then
      self%velocity = (1.0_dp - self%mixing)*self%velocity + self%mixing*norm2(self%velocity)/length*forces
   end if
   longest = self%dt*maxval(norm2(self%velocity, dim=1))
   if (longest > longest_move) self%velocity = self%velocity*(longest_move/longest)
   atoms%position = atoms%position + self%dt*self%velocity
end subroutine fire_move


!> Root mean square force per degree of freedom, kcal/mol/Å
pure function rms_force(forces)
   !> (3, n)
   real(dp), intent(in) :: forces(:, :)
   real(dp) :: rms_force

   rms_force = norm2(forces)/sqrt(real(max(1, size(forces)), dp))
end function rms_force


!> The atom with the longest force, and its length
pure subroutine largest_force(forces, atom, length)
   !> kcal/mol/Å, (3, n)
   real(dp), intent(in) :: forces(:, :)
   !> One-based
   integer, intent(out) :: atom
   !> kcal/mol/Å
   real(dp), intent(out) :: length

   atom = maxloc(norm2(forces, dim=1), dim=1)
   length = norm2(forces(:, atom))
end subroutine largest_force

end module fennix_minimize
