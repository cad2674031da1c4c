! SPDX-License-Identifier: MIT
!> Where a run stands between two outer steps, apart from positions and velocities: counters and tallies.
module fennix_motion
   use fennix_kinds, only : dp, i4, i8
   use fennix_atoms, only : atoms_type
   use fennix_units, only : accel_factor
   implicit none
   private
   public :: motion_type, new_motion, clear_tally, tally_mid_step, kinetic_by_element, mid_step_kinetic

   type :: motion_type
      !> Absolute index of the inner step; counts the random numbers
      integer(i8) :: inner_step = 0
      !> Energy that own atoms took up from the thermostat since the start, kcal/mol
      real(dp) :: heat = 0.0_dp
      !> How often |F_accurate - F_fast| of an own atom was capped since the start
      integer(i8) :: n_capped = 0
      !> Atomic numbers present, ascending, (n_elements)
      integer(i4), allocatable :: element(:)
      !> Index into element by atomic number, (0:118)
      integer :: place(0:118) = 0
      !> Mid-step kinetic energy of own atoms summed over the tallied inner steps, by element, kcal/mol, (n_elements)
      real(dp), allocatable :: mid_sum(:)
      integer :: n_mid = 0
   end type motion_type

contains


!> Counters at zero
subroutine new_motion(self, composition)
   type(motion_type), intent(out) :: self
   !> Atoms of each atomic number in the whole system
   integer(i8), intent(in) :: composition(0:118)
   integer :: z

   self%element = pack([(int(z, i4), z=0, 118)], composition > 0)
   self%place(self%element) = [(z, z=1, size(self%element))]
   allocate(self%mid_sum(size(self%element)), source=0.0_dp)
end subroutine new_motion


!> Start a new average of mid-step kinetic energies
pure subroutine clear_tally(self)
   type(motion_type), intent(inout) :: self

   self%mid_sum = 0.0_dp
   self%n_mid = 0
end subroutine clear_tally


!> Tally one O step: the kinetic energies before and after it, kcal/mol, by element
pure subroutine tally_mid_step(self, before, after)
   type(motion_type), intent(inout) :: self
   real(dp), intent(in) :: before(:), after(:)

   self%mid_sum = self%mid_sum + 0.5_dp*(before + after)
   self%n_mid = self%n_mid + 1
   self%heat = self%heat + sum(after - before)
end subroutine tally_mid_step


!> Kinetic energy of own atoms' present velocities by element, kcal/mol
pure function kinetic_by_element(self, atoms) result(kinetic)
   type(motion_type), intent(in) :: self
   type(atoms_type), intent(in) :: atoms
   real(dp) :: kinetic(size(self%element))
   integer :: iat, iel

   kinetic = 0.0_dp
   do iat = 1, atoms%n
      iel = self%place(atoms%number(iat))
      kinetic(iel) = kinetic(iel) + atoms%mass(iat) &
         & *(atoms%velocity(1, iat)**2 + atoms%velocity(2, iat)**2 + atoms%velocity(3, iat)**2)
   end do
   kinetic = kinetic*0.5_dp/accel_factor
end function kinetic_by_element


!> Mid-step kinetic energy of own atoms by element averaged over the tallied inner steps, kcal/mol
pure function mid_step_kinetic(self) result(kinetic)
   type(motion_type), intent(in) :: self
   real(dp) :: kinetic(size(self%element))

   kinetic = self%mid_sum/max(1, self%n_mid)
end function mid_step_kinetic

end module fennix_motion
