! SPDX-License-Identifier: MIT
!> Integrator, ensemble, models and time steps together: what is chosen, what contradicts.
module test_levels_choice
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, to_text
   use fennix_settings, only : settings_type
   use input_samples, only : settings_of
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_levels_chosen, test_levels_contradictions, test_levels_substeps, test_levels_no_multiple

   character(len=*), parameter :: one = "ml-model a|", two = "ml-model a|ml-model-fast b|"

contains


!> The integrator follows ensemble and models, the ensemble follows the integrator
subroutine test_levels_chosen(error)
   type(error_type), allocatable, intent(out) :: error

   call chosen(error, one, "baoab", "nvt")
   call chosen(error, two, "baoabrespa", "nvt")
   call chosen(error, one // "ensemble 1", "verlet", "nve")
   call chosen(error, two // "ensemble NVE", "respa", "nve")
   call chosen(error, two // "ensemble 2", "baoabrespa", "nvt")
   call chosen(error, one // "integrator Verlet", "verlet", "nve")
   call chosen(error, two // "integrator respa|ensemble nve", "respa", "nve")
end subroutine test_levels_chosen


subroutine test_levels_contradictions(error)
   type(error_type), allocatable, intent(out) :: error

   call refused(error, one // "integrator baoab|ensemble nve", "line 2|'baoab'|nve|line 3")
   call refused(error, one // "integrator verlet|ensemble nvt", "'verlet'|nvt|baoab")
   call refused(error, one // "integrator respa", "'respa'|'ml-model-fast'|missing")
   call refused(error, two // "integrator verlet", "line 2|'ml-model-fast'|'verlet'|one level")
   call refused(error, one // "integrator beeman", "'integrator'|verlet, respa, baoab or baoabrespa|'beeman'")
   call refused(error, one // "integrator baoabrespa1", "did you mean 'baoabrespa'")
   call refused(error, one // "ensemble npt", "'ensemble'|pressure coupling is not there yet")
   call refused(error, one // "ensemble 4", "'ensemble'|pressure coupling is not there yet")
   call refused(error, one // "ensemble 5", "'ensemble'|nve, nvt, 1 or 2|'5'")
   call refused(error, one // "barostat montecarlo", "'barostat'|pressure coupling is not there yet")
   call refused(error, one // "thermostat bussi", "'thermostat'|langevin|'bussi'")
   call refused(error, one // "thermostat langevin|ensemble nve", "'thermostat'|nve")
end subroutine test_levels_contradictions


!> A whole number of inner steps, within rounding
subroutine test_levels_substeps(error)
   type(error_type), allocatable, intent(out) :: error

   call substeps(error, two // "timestep 3", 3)
   call substeps(error, two, 1)
   call substeps(error, two // "timestep 4|dshort 0.0005", 8)
   call substeps(error, two // "timestep 2.5|dshort 0.000833333333", 3)
   call substeps(error, two // "timestep 6.00000001", 6)
   call substeps(error, one // "timestep 2.5", 1)
end subroutine test_levels_substeps


!> Otherwise the nearest that fit are told, and they do fit
subroutine test_levels_no_multiple(error)
   type(error_type), allocatable, intent(out) :: error

   call refused(error, two // "timestep 2.5", "'timestep'|2.5 fs|0.001 ps|0.00125|0.000833333333|timestep 2 or 3 fs")
   call refused(error, two // "timestep 3|dshort 0.0009", "'dshort'|0.001 or 0.00075 ps|2.7 or 3.6 fs")
   call refused(error, two // "timestep 0.5", "dshort 0.0005 ps|timestep 1 fs")
   call refused(error, two // "timestep 3.00001", "whole multiple")
   call refused(error, two // "timestep 1|dshort 1e-12", "whole multiple")
end subroutine test_levels_no_multiple


subroutine chosen(error, keywords, integrator, ensemble)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: keywords, integrator, ensemble
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, keywords, "case 0", raised)
   call check(error, .not. allocated(raised), keywords // " was refused")
   if (allocated(error)) return
   call check(error, s%integrator == integrator .and. s%ensemble == ensemble, keywords // " gave " // s%integrator // &
      & " " // s%ensemble)
   call check(error, (s%langevin .eqv. ensemble == "nvt") .and. (s%two_level .eqv. len(s%model_fast) > 0), &
      & keywords // " gave wrong switches")
end subroutine chosen


subroutine refused(error, keywords, parts)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: keywords, parts
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, keywords, "case 0", raised)
   call expect_error(error, raised, parts)
end subroutine refused


subroutine substeps(error, keywords, expected)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: keywords
   integer, intent(in) :: expected
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, keywords, "case 0", raised)
   call check(error, .not. allocated(raised), keywords // " was refused")
   call check(error, s%n_substeps == expected, keywords // " gave " // to_text(s%n_substeps) // " inner steps")
   call check(error, s%dt > 0.0_dp, "the outer step is positive")
end subroutine substeps

end module test_levels_choice
