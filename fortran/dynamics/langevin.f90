! SPDX-License-Identifier: MIT
!> The Ornstein-Uhlenbeck step of Langevin dynamics: v <- c v + sqrt((1-c²) kT/m) R with c = exp(-friction h).
!> Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34, doi:10.1093/amrx/abs010.
module fennix_langevin
   use fennix_kinds, only : dp, i8
   use fennix_atoms, only : atoms_type
   use fennix_motion, only : kinetic_by_element, motion_type, tally_mid_step
   use fennix_random, only : normal3, purpose_langevin
   use fennix_thermostat, only : thermostat_type
   use fennix_units, only : accel_factor, gas_constant
   implicit none
   private
   public :: langevin_type

   type, extends(thermostat_type) :: langevin_type
      !> K
      real(dp) :: temperature = 0.0_dp
      !> 1/ps
      real(dp) :: friction = 0.0_dp
      !> Key of the random numbers
      integer(i8) :: seed = 0
   contains
      procedure :: apply
   end type langevin_type

contains


subroutine apply(self, atoms, h, motion)
   class(langevin_type), intent(in) :: self
   type(atoms_type), intent(inout) :: atoms
   !> Inner time step, ps
   real(dp), intent(in) :: h
   type(motion_type), intent(inout) :: motion
   real(dp) :: decay, spread, before(size(motion%element))
   integer :: iat

   before = kinetic_by_element(motion, atoms)
   decay = exp(-self%friction*h)
   spread = sqrt((1.0_dp - decay**2)*gas_constant*self%temperature*accel_factor)
   if (self%friction > 0.0_dp) then
      do iat = 1, atoms%n
         atoms%velocity(:, iat) = decay*atoms%velocity(:, iat) + spread/sqrt(atoms%mass(iat)) &
            & *normal3(self%seed, motion%inner_step, atoms%id(iat), purpose_langevin)
      end do
   end if
   call tally_mid_step(motion, before, kinetic_by_element(motion, atoms))
end subroutine apply

end module fennix_langevin
