! SPDX-License-Identifier: MIT
!> What is measured at an outer step: energies, temperatures on-step and mid-step, by element, pressure, density.
module fennix_observables
   use fennix_kinds, only : dp, i4, i8
   use fennix_units, only : density_factor, gas_constant, pressure_factor
   use fennix_cell, only : cell_type, volume
   use fennix_elements, only : symbol
   implicit none
   private
   public :: observables_type, new_observables, set_kinetic, set_kinetic_mid, complete_observables
   public :: observable_names, observable_values, all_values, n_fixed
   public :: at_potential, at_kinetic, at_total, at_conserved, at_temperature, at_kinetic_mid, at_temperature_mid, &
      & at_pressure, at_density, at_volume

   !> Places in all_values; temperatures by element follow, on-step then mid-step
   integer, parameter :: at_potential = 1, at_kinetic = 2, at_total = 3, at_conserved = 4, at_temperature = 5, &
      & at_kinetic_mid = 6, at_temperature_mid = 7, at_pressure = 8, at_density = 9, at_volume = 10
   integer, parameter :: n_fixed = 10

   !> On-step values belong to the velocities in files. Mid-step ones (Langevin) average the kinetic energy before and
   !> after the thermostat's stroke over the inner steps; only they are free of the discretisation error of BAOAB.
   type :: observables_type
      !> Outer step; absolute index of the inner step
      integer(i8) :: step = 0, inner_step = 0
      !> ps
      real(dp) :: time = 0.0_dp
      !> Energy of the accurate model, kcal/mol
      real(dp) :: potential = 0.0_dp
      !> Kinetic energy of the on-step velocities, kcal/mol
      real(dp) :: kinetic = 0.0_dp
      !> Mid-step kinetic energy, equal to kinetic unless has_mid, kcal/mol
      real(dp) :: kinetic_mid = 0.0_dp
      !> potential + kinetic, kcal/mol
      real(dp) :: total = 0.0_dp
      !> total less the heat the thermostat brought, kcal/mol
      real(dp) :: conserved = 0.0_dp
      !> K
      real(dp) :: temperature = 0.0_dp, temperature_mid = 0.0_dp
      !> From the mid-step kinetic energy when has_mid, atm; zero unless has_pressure
      real(dp) :: pressure = 0.0_dp
      !> g/cm³; zero for an isolated system
      real(dp) :: density = 0.0_dp
      !> Å³; zero for an isolated system
      real(dp) :: volume = 0.0_dp
      integer :: degrees_of_freedom = 0
      !> +dE/dstrain of the accurate model, kcal/mol; zero when it cannot be had
      real(dp) :: virial(3, 3) = 0.0_dp
      !> A thermostat acts mid-step, so that the mid-step values mean something of their own
      logical :: has_mid = .false.
      logical :: periodic = .false.
      !> Periodic, and the accurate model gives a virial
      logical :: has_pressure = .false.
      !> Mass of the system, g/mol
      real(dp) :: mass = 0.0_dp
      !> Atomic numbers present, ascending, (n_elements)
      integer(i4), allocatable :: elements(:)
      !> Degrees of freedom by element; a removed centre of mass is shared out by mass, (n_elements)
      real(dp), allocatable :: freedom_of(:)
      !> On-step and mid-step temperature by element, K, (n_elements)
      real(dp), allocatable :: temperature_of(:), temperature_mid_of(:)
   end type observables_type

contains


!> Observables of a system; the values are set step by step
subroutine new_observables(self, composition, mass_of, periodic, degrees_of_freedom, has_mid)
   type(observables_type), intent(out) :: self
   !> Atoms of each atomic number in the whole system, and their mass, g/mol
   integer(i8), intent(in) :: composition(0:118)
   real(dp), intent(in) :: mass_of(0:118)
   logical, intent(in) :: periodic
   integer, intent(in) :: degrees_of_freedom
   !> Mid-step kinetic energies will be given (Langevin)
   logical, intent(in) :: has_mid
   integer :: z

   self%periodic = periodic
   self%has_pressure = periodic
   self%degrees_of_freedom = degrees_of_freedom
   self%has_mid = has_mid
   self%mass = sum(mass_of)
   self%elements = pack([(int(z, i4), z=0, 118)], composition > 0)
   self%freedom_of = 3.0_dp*pack(composition, composition > 0) &
      & - (3.0_dp*sum(composition) - degrees_of_freedom)*pack(mass_of, composition > 0)/self%mass
   allocate(self%temperature_of(size(self%elements)), self%temperature_mid_of(size(self%elements)), source=0.0_dp)
end subroutine new_observables


!> On-step kinetic energies by element, kcal/mol, (n_elements)
pure subroutine set_kinetic(self, kinetic_of)
   type(observables_type), intent(inout) :: self
   real(dp), intent(in) :: kinetic_of(:)

   self%kinetic = sum(kinetic_of)
   self%temperature = to_temperature(self%kinetic, real(self%degrees_of_freedom, dp))
   self%temperature_of = to_temperature(kinetic_of, self%freedom_of)
   if (.not. self%has_mid) call set_kinetic_mid(self, kinetic_of)
end subroutine set_kinetic


!> Mid-step kinetic energies by element, averaged over the inner steps, kcal/mol, (n_elements)
pure subroutine set_kinetic_mid(self, kinetic_of)
   type(observables_type), intent(inout) :: self
   real(dp), intent(in) :: kinetic_of(:)

   self%kinetic_mid = sum(kinetic_of)
   self%temperature_mid = to_temperature(self%kinetic_mid, real(self%degrees_of_freedom, dp))
   self%temperature_mid_of = to_temperature(kinetic_of, self%freedom_of)
end subroutine set_kinetic_mid


!> Derive what follows from the kinetic energies and these: total, conserved, pressure, density, volume
pure subroutine complete_observables(self, cell, potential, virial, heat)
   type(observables_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   !> kcal/mol
   real(dp), intent(in) :: potential
   !> +dE/dstrain, kcal/mol
   real(dp), intent(in) :: virial(3, 3)
   !> Energy the thermostat has brought in since the start, kcal/mol
   real(dp), intent(in) :: heat

   self%potential = potential
   self%virial = virial
   self%total = potential + self%kinetic
   self%conserved = self%total - heat
   self%volume = volume(cell)
   if (.not. self%periodic) return
   self%density = self%mass/self%volume*density_factor
   if (.not. self%has_pressure) return
   self%pressure = (2.0_dp*self%kinetic_mid - virial(1, 1) - virial(2, 2) - virial(3, 3)) &
      & /(3.0_dp*self%volume)*pressure_factor
end subroutine complete_observables


!> Lines "name=unit" of the values that mean something for this system, in the order of observable_values
function observable_names(self) result(text)
   type(observables_type), intent(in) :: self
   character(len=:), allocatable :: text
   integer :: iel

   text = "potential_energy=kcal mol-1" // new_line("a") // "kinetic_energy=kcal mol-1" // new_line("a") &
      & // "total_energy=kcal mol-1" // new_line("a") // "conserved_energy=kcal mol-1" // new_line("a") &
      & // "temperature=K" // new_line("a")
   if (self%has_mid) text = text // "kinetic_energy_mid=kcal mol-1" // new_line("a") // "temperature_mid=K" &
      & // new_line("a")
   if (self%has_pressure) text = text // "pressure=atm" // new_line("a")
   if (self%periodic) text = text // "density=g cm-3" // new_line("a") // "volume=Angstrom3" // new_line("a")
   do iel = 1, size(self%elements)
      text = text // "temperature_" // trim(symbol(self%elements(iel))) // "=K" // new_line("a")
   end do
   if (.not. self%has_mid) return
   do iel = 1, size(self%elements)
      text = text // "temperature_mid_" // trim(symbol(self%elements(iel))) // "=K" // new_line("a")
   end do
end function observable_names


!> The values named by observable_names
pure function observable_values(self) result(values)
   type(observables_type), intent(in) :: self
   real(dp), allocatable :: values(:)

   values = pack(all_values(self), meaningful(self))
end function observable_values


!> Every value at its place at_*, then temperatures by element, on-step and mid-step, (n_fixed + 2 n_elements)
pure function all_values(self) result(values)
   type(observables_type), intent(in) :: self
   real(dp), allocatable :: values(:)

   allocate(values(n_fixed))
   values(at_potential) = self%potential
   values(at_kinetic) = self%kinetic
   values(at_total) = self%total
   values(at_conserved) = self%conserved
   values(at_temperature) = self%temperature
   values(at_kinetic_mid) = self%kinetic_mid
   values(at_temperature_mid) = self%temperature_mid
   values(at_pressure) = self%pressure
   values(at_density) = self%density
   values(at_volume) = self%volume
   values = [values, self%temperature_of, self%temperature_mid_of]
end function all_values


!> Which of all_values mean something for this system
pure function meaningful(self) result(mask)
   type(observables_type), intent(in) :: self
   logical, allocatable :: mask(:)
   integer :: n_elements

   n_elements = size(self%elements)
   allocate(mask(n_fixed + 2*n_elements))
   mask = .true.
   mask([at_kinetic_mid, at_temperature_mid]) = self%has_mid
   mask(at_pressure) = self%has_pressure
   mask([at_density, at_volume]) = self%periodic
   mask(n_fixed + n_elements + 1:) = self%has_mid
end function meaningful


!> K from kcal/mol; zero where nothing can move
elemental function to_temperature(kinetic, freedom) result(temperature)
   real(dp), intent(in) :: kinetic
   real(dp), intent(in) :: freedom
   real(dp) :: temperature

   temperature = 0.0_dp
   if (freedom > 0.0_dp) temperature = 2.0_dp*kinetic/(freedom*gas_constant)
end function to_temperature

end module fennix_observables
