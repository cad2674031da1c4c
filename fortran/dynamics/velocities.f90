! SPDX-License-Identifier: MIT
!> Initial velocities and centre-of-mass motion.
module fennix_velocities
   use fennix_kinds, only : dp, i8
   use fennix_atoms, only : atoms_type
   use fennix_random, only : normal3, purpose_velocity
   use fennix_units, only : accel_factor, gas_constant
   implicit none
   private
   public :: draw_velocities, remove_drift

contains


!> Maxwell-Boltzmann velocities without centre-of-mass motion
subroutine draw_velocities(atoms, temperature, seed)
   type(atoms_type), intent(inout) :: atoms
   !> K
   real(dp), intent(in) :: temperature
   integer(i8), intent(in) :: seed
   integer :: iat

   do iat = 1, atoms%n
      atoms%velocity(:, iat) = sqrt(gas_constant*temperature*accel_factor/atoms%mass(iat)) &
         & *normal3(seed, 0_i8, atoms%id(iat), purpose_velocity)
   end do
   if (atoms%n > 1) call remove_drift(atoms)
end subroutine draw_velocities


!> Take off the velocity of the centre of mass
subroutine remove_drift(atoms)
   type(atoms_type), intent(inout) :: atoms
   real(dp) :: drift(3)
   integer :: iat

   drift = matmul(atoms%velocity, atoms%mass)/sum(atoms%mass)
   do iat = 1, atoms%n
      atoms%velocity(:, iat) = atoms%velocity(:, iat) - drift
   end do
end subroutine remove_drift

end module fennix_velocities
