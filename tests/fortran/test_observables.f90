! SPDX-License-Identifier: MIT
!> Temperatures, pressure and density against numbers worked out by hand; names match values; averages.
module test_observables
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : open_cell
   use fennix_averages, only : add_sample, averages_type, deviation
   use fennix_observables, only : at_total, complete_observables, new_observables, observable_names, &
      & observable_values, observables_type, set_kinetic, set_kinetic_mid
   use report_samples, only : fail_if, cubic, water_sums
   implicit none
   private
   public :: test_observables_temperature, test_observables_freedom, test_observables_pressure, &
      & test_observables_names, test_observables_without_virial, test_averages

   !> k_B in kcal/mol/K from CODATA 2018, and the factor of atm from it, independent of fennix_units
   real(dp), parameter :: boltzmann = 0.0019872042586408316_dp
   real(dp), parameter :: atm_per_kcal_mol_volume = 68568.41_dp

contains


!> Observables of one water
subroutine observe_water(obs, periodic, degrees_of_freedom, has_mid)
   type(observables_type), intent(out) :: obs
   logical, intent(in) :: periodic, has_mid
   integer, intent(in) :: degrees_of_freedom
   integer(i8) :: composition(0:118)
   real(dp) :: mass_of(0:118)

   call water_sums(composition, mass_of)
   call new_observables(obs, composition, mass_of, periodic, degrees_of_freedom, has_mid)
end subroutine observe_water


!> Equipartition at 300 K gives 300 K everywhere; on-step and mid-step are kept apart
subroutine test_observables_temperature(error)
   type(error_type), allocatable, intent(out) :: error
   type(observables_type) :: obs
   real(dp), parameter :: per_atom = 1.5_dp*boltzmann*300.0_dp

   call observe_water(obs, .true., 9, .true.)
   call fail_if(any(obs%elements /= [1, 8]), "elements are not H, O", error)
   call set_kinetic(obs, [1.8_dp*per_atom, per_atom])
   call set_kinetic_mid(obs, [2.0_dp*per_atom, per_atom])
   call close_to(obs%temperature, 280.0_dp, "temperature")
   call close_to(obs%temperature_mid, 300.0_dp, "mid-step temperature")
   call close_to(obs%temperature_of(1), 270.0_dp, "temperature of H")
   call close_to(obs%temperature_of(2), 300.0_dp, "temperature of O")
   call close_to(obs%temperature_mid_of(1), 300.0_dp, "mid-step temperature of H")

   call observe_water(obs, .true., 9, .false.)
   call set_kinetic(obs, [1.8_dp*per_atom, per_atom])
   call close_to(obs%temperature_mid, 280.0_dp, "mid-step temperature without a thermostat")

contains

   subroutine close_to(value, expected, what)
      real(dp), intent(in) :: value, expected
      character(len=*), intent(in) :: what

      call fail_if(abs(value - expected) > 1.0e-9_dp*abs(expected), what // " is " // to_text(value) &
         & // " instead of " // to_text(expected), error)
   end subroutine close_to

end subroutine test_observables_temperature


!> A removed centre of mass takes from each element by mass, and nothing gets lost
subroutine test_observables_freedom(error)
   type(error_type), allocatable, intent(out) :: error
   type(observables_type) :: obs

   call observe_water(obs, .true., 6, .true.)
   call fail_if(abs(sum(obs%freedom_of) - 6.0_dp) > 1.0e-12_dp, "degrees of freedom do not add up", error)
   call fail_if(abs(obs%freedom_of(2) - (3.0_dp - 3.0_dp*15.999_dp/18.015_dp)) > 1.0e-12_dp, &
      & "degrees of freedom of O", error)
end subroutine test_observables_freedom


!> Ideal gas: p V = N k T; a virial lowers it; the density of one water in 30 Å³
subroutine test_observables_pressure(error)
   type(error_type), allocatable, intent(out) :: error
   type(observables_type) :: obs
   real(dp), parameter :: per_atom = 1.5_dp*boltzmann*300.0_dp
   real(dp) :: virial(3, 3), ideal

   virial = 0.0_dp
   call observe_water(obs, .true., 9, .true.)
   call set_kinetic(obs, [1.8_dp*per_atom, per_atom])
   call set_kinetic_mid(obs, [2.0_dp*per_atom, per_atom])
   call complete_observables(obs, cubic(30.0_dp), -10.0_dp, virial, 4.0_dp)
   ideal = 3.0_dp*boltzmann*300.0_dp/27000.0_dp*atm_per_kcal_mol_volume
   call fail_if(abs(obs%pressure/ideal - 1.0_dp) > 1.0e-6_dp, "the pressure of an ideal gas is " &
      & // to_text(obs%pressure) // " instead of " // to_text(ideal), error)
   call fail_if(abs(obs%density - 18.015_dp/27000.0_dp/0.602214076_dp) > 1.0e-9_dp, "density is " &
      & // to_text(obs%density), error)
   call fail_if(abs(obs%total - (-10.0_dp + 2.8_dp*per_atom)) > 1.0e-12_dp, "total energy", error)
   call fail_if(abs(obs%conserved - (obs%total - 4.0_dp)) > 1.0e-12_dp, "conserved energy", error)
   virial(1, 1) = 3.0_dp
   call complete_observables(obs, cubic(30.0_dp), -10.0_dp, virial, 4.0_dp)
   call fail_if(abs(obs%pressure - ideal + 1.0_dp/27000.0_dp*atm_per_kcal_mol_volume) > 1.0e-5_dp, &
      & "a virial of dE/dstrain does not lower the pressure as it should", error)
   call observe_water(obs, .false., 9, .false.)
   call complete_observables(obs, open_cell(), -10.0_dp, virial, 0.0_dp)
   call fail_if(abs(obs%pressure) + abs(obs%density) + abs(obs%volume) > 0.0_dp, "an isolated system has a pressure", &
      & error)
end subroutine test_observables_pressure


!> Without a virial there is no pressure, but the density stays
subroutine test_observables_without_virial(error)
   type(error_type), allocatable, intent(out) :: error
   type(observables_type) :: obs
   character(len=:), allocatable :: names
   integer :: k

   call observe_water(obs, .true., 9, .false.)
   obs%has_pressure = .false.
   call set_kinetic(obs, [1.0_dp, 2.0_dp])
   call complete_observables(obs, cubic(30.0_dp), -10.0_dp, reshape([(0.0_dp, k=1, 9)], [3, 3]), 0.0_dp)
   names = observable_names(obs)
   call fail_if(index(names, "pressure") > 0 .or. index(names, "density=g cm-3") == 0, "wrong names: " // names, error)
   call fail_if(abs(obs%pressure) > 0.0_dp, "a pressure without a virial", error)
   call fail_if(size(observable_values(obs)) /= count([(names(k:k) == new_line("a"), k=1, len(names))]), &
      & "names and values differ in number", error)
end subroutine test_observables_without_virial


!> As many names as values, each "name=unit", without what means nothing
subroutine test_observables_names(error)
   type(error_type), allocatable, intent(out) :: error
   type(observables_type) :: obs
   character(len=:), allocatable :: names
   character(len=1), parameter :: nl = new_line("a")
   logical :: periodic, has_mid
   integer :: k, lines

   do k = 0, 3
      periodic = btest(k, 0)
      has_mid = btest(k, 1)
      call observe_water(obs, periodic, 9, has_mid)
      call set_kinetic(obs, [1.0_dp, 2.0_dp])
      if (periodic) call complete_observables(obs, cubic(30.0_dp), -10.0_dp, reshape([(0.0_dp, lines=1, 9)], [3, 3]), &
         & 0.0_dp)
      names = observable_names(obs)
      call fail_if(count_of(nl, names) /= size(observable_values(obs)) .or. count_of("=", names) /= count_of(nl, &
         & names), "names and values differ in number:" // nl // names, error)
      call fail_if((index(names, "pressure=atm") > 0 .and. index(names, "density=g cm-3") > 0) .neqv. periodic, &
         & "pressure and density:" // nl // names, error)
      call fail_if((index(names, "temperature_mid=K") > 0 .and. index(names, &
         & "temperature_mid_H=K") > 0) .neqv. has_mid, "mid-step values:" // nl // names, error)
      call fail_if(index(names, "temperature_O=K") == 0, "temperatures by element:" // nl // names, error)
   end do
end subroutine test_observables_names


!> How often a letter occurs
pure function count_of(letter, text) result(number)
   character(len=1), intent(in) :: letter
   character(len=*), intent(in) :: text
   integer :: number
   integer :: k

   number = count([(text(k:k) == letter, k=1, len(text))])
end function count_of


!> Mean and standard deviation against two passes, far from zero; a step counts once
subroutine test_averages(error)
   type(error_type), allocatable, intent(out) :: error
   type(observables_type) :: obs
   type(averages_type) :: averages
   real(dp) :: energies(1000), mean, spread_expected
   integer :: k

   call observe_water(obs, .false., 9, .false.)
   do k = 1, size(energies)
      energies(k) = -1.0e7_dp + sin(real(k, dp))
      obs%step = k
      obs%total = energies(k)
      call add_sample(averages, obs)
      call add_sample(averages, obs)
   end do
   mean = sum(energies)/size(energies)
   spread_expected = sqrt(sum((energies - mean)**2)/(size(energies) - 1))
   call fail_if(averages%n_samples /= 1000_i8, "a step was counted twice", error)
   call fail_if(averages%first_step /= 1 .or. averages%last_step /= 1000, "steps of the samples", error)
   call fail_if(abs(averages%mean(at_total) - mean) > 1.0e-6_dp, "mean", error)
   call fail_if(abs(deviation(averages, at_total) - spread_expected) > 1.0e-7_dp, "standard deviation", error)
end subroutine test_averages

end module test_observables
