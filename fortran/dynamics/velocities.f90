! SPDX-License-Identifier: MIT
!> Initial velocities and centre-of-mass motion.
module fennix_velocities
   use fennix_kinds, only : dp, i8
   use fennix_comm, only : comm_type, sum_all
   use fennix_atoms, only : atoms_type
   use fennix_random, only : normal3, purpose_velocity
   use fennix_units, only : accel_factor, gas_constant
   implicit none
   private
   public :: draw_velocities, remove_drift

contains


!> Maxwell-Boltzmann velocities without centre-of-mass motion
subroutine draw_velocities(comm, atoms, temperature, seed)
   type(comm_type), intent(in) :: comm
   type(atoms_type), intent(inout) :: atoms
   !> K
   real(dp), intent(in) :: temperature
   integer(i8), intent(in) :: seed
   integer :: iat

   do iat = 1, atoms%n
      atoms%velocity(:, iat) = sqrt(gas_constant*temperature*accel_factor/atoms%mass(iat)) &
         & *normal3(seed, 0_i8, atoms%id(iat), purpose_velocity)
   end do
   call remove_drift(comm, atoms)
end subroutine draw_velocities


!> Take off the velocity of the centre of mass; a single atom keeps its own
subroutine remove_drift(comm, atoms)
   type(comm_type), intent(in) :: comm
   type(atoms_type), intent(inout) :: atoms
   real(dp) :: sums(5)
   integer :: iat

   sums(1:3) = matmul(atoms%velocity, atoms%mass)
   sums(4) = sum(atoms%mass)
   sums(5) = atoms%n
   call sum_all(comm, sums)
   if (sums(5) < 2.0_dp) return
   do iat = 1, atoms%n
      atoms%velocity(:, iat) = atoms%velocity(:, iat) - sums(1:3)/sums(4)
   end do
end subroutine remove_drift

end module fennix_velocities
