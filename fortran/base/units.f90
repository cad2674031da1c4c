! SPDX-License-Identifier: MIT
!> Internal units (Å, ps, kcal/mol, g/mol, K, atm) and the factors between them, from CODATA 2018.
module fennix_units
   use fennix_kinds, only : dp
   implicit none
   private
   public :: accel_factor, gas_constant, pressure_factor, density_factor, femtosecond, avogadro

   !> Exact by the SI of 2019, 1/mol
   real(dp), parameter :: avogadro = 6.02214076e23_dp
   !> Exact by the SI of 2019, J/K
   real(dp), parameter :: boltzmann_si = 1.380649e-23_dp
   !> Thermochemical calorie, J per kcal
   real(dp), parameter :: joule_per_kcal = 4184.0_dp
   !> Standard atmosphere, Pa
   real(dp), parameter :: pascal_per_atm = 101325.0_dp

   !> (kcal/mol/Å) / (g/mol) in Å/ps²
   real(dp), parameter :: accel_factor = joule_per_kcal*0.1_dp
   !> k_B per mole, kcal/mol/K
   real(dp), parameter :: gas_constant = boltzmann_si*avogadro/joule_per_kcal
   !> kcal/mol/Å³ in atm
   real(dp), parameter :: pressure_factor = joule_per_kcal/avogadro*1.0e30_dp/pascal_per_atm
   !> (g/mol)/Å³ in g/cm³
   real(dp), parameter :: density_factor = 1.0e24_dp/avogadro
   !> 1 fs in ps
   real(dp), parameter :: femtosecond = 1.0e-3_dp

end module fennix_units
