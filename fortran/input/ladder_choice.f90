! SPDX-License-Identifier: MIT
!> Which integrator, ensemble and number of inner steps; contradictions are told.
module fennix_ladder_choice
   use fennix_kinds, only : dp
   use fennix_units, only : femtosecond
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_strings, only : lower
   use fennix_settings, only : settings_type
   use fennix_keyfile, only : entry_type
   use fennix_values, only : about, choose_word, get_choice, get_number, get_text, is_given
   implicit none
   private
   public :: choose_ensemble, choose_integrator, choose_substeps

   character(len=*), parameter :: integrators(4) = [character(len=10) :: "verlet", "respa", "baoab", "baoabrespa"]
   !> Largest relative difference between the outer step and a whole number of inner steps
   real(dp), parameter :: multiple_tolerance = 1.0e-6_dp

contains


!> nve or nvt when the user says so; empty leaves it to the integrator
subroutine choose_ensemble(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: word

   if (is_given(entries, "barostat")) then
      call fatal_error(error, about(entries, "barostat") // " is refused: pressure coupling is not there yet")
      return
   end if
   call get_text(entries, "ensemble", word, error)
   if (allocated(error) .or. .not. allocated(word)) return
   select case (lower(word))
   case ("1", "nve")
      self%ensemble = "nve"
   case ("2", "nvt")
      self%ensemble = "nvt"
   case ("3", "4", "nph", "npt")
      call fatal_error(error, about(entries, "ensemble") // " asks for constant pressure ('" // word // &
         & "'), but pressure coupling is not there yet; take 1 (nve) or 2 (nvt)")
   case default
      call choose_word(about(entries, "ensemble"), lower(word), ["nve", "nvt", "1  ", "2  "], error)
   end select
end subroutine choose_ensemble


!> The integrator as given, or the one that suits ensemble and models
subroutine choose_integrator(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   logical :: has_fast

   has_fast = len(self%model_fast) > 0
   if (is_given(entries, "integrator")) then
      call get_choice(entries, "integrator", integrators, self%integrator, error)
      if (allocated(error)) return
   else
      if (len(self%ensemble) == 0) self%ensemble = "nvt"
      self%integrator = trim(integrators(1 + merge(1, 0, has_fast) + merge(2, 0, self%ensemble == "nvt")))
   end if
   self%two_level = index(self%integrator, "respa") > 0
   self%langevin = index(self%integrator, "baoab") > 0
   if (len(self%ensemble) == 0) self%ensemble = merge("nvt", "nve", self%langevin)
   if (self%langevin .neqv. self%ensemble == "nvt") then
      call fatal_error(error, about(entries, "integrator") // ": '" // self%integrator // "' samples " // &
         & merge("nvt", "nve", self%langevin) // ", but " // self%ensemble // " is asked for (" // &
         & about(entries, "ensemble") // "); take " // trim(merge("verlet or respa    ", "baoab or baoabrespa", &
         & self%langevin)) // ", or leave one of the two out")
   else if (self%two_level .and. .not. has_fast) then
      call fatal_error(error, about(entries, "integrator") // ": '" // self%integrator // "' has two levels and " // &
         & "needs a fast model beside ml-model: keyword 'ml-model-fast' is missing")
   else if (has_fast .and. .not. self%two_level) then
      call fatal_error(error, about(entries, "ml-model-fast") // " is given, but the integrator '" // &
         & self%integrator // "' (" // about(entries, "integrator") // ") has one level; take respa or " // &
         & "baoabrespa, or leave the fast model out")
   else
      call check_thermostat(self, entries, error)
   end if
end subroutine choose_integrator


!> There is one thermostat, and it belongs to the Langevin integrators
subroutine check_thermostat(self, entries, error)
   type(settings_type), intent(in) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: word

   call get_text(entries, "thermostat", word, error)
   if (allocated(error) .or. .not. allocated(word)) return
   if (lower(word) /= "langevin") then
      call fatal_error(error, about(entries, "thermostat") // " expects langevin, the only thermostat there is " // &
         & "(with integrator baoab or baoabrespa), got '" // word // "'")
   else if (.not. self%langevin) then
      call fatal_error(error, about(entries, "thermostat") // " contradicts the ensemble nve of the integrator '" // &
         & self%integrator // "'; take baoab or baoabrespa, or leave it out")
   end if
end subroutine check_thermostat


!> How many inner steps make an outer step: a whole number, never rounded
subroutine choose_substeps(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: dshort, ratio
   integer :: below
   character(len=:), allocatable :: smaller, larger

   dshort = 0.001_dp
   call get_number(entries, "dshort", dshort, error)
   if (allocated(error) .or. .not. self%two_level) return
   ratio = self%dt/dshort
   if (ratio < 1.0e6_dp .and. nint(min(ratio, 1.0e6_dp)) >= 1) then
      self%n_substeps = nint(ratio)
      if (abs(self%n_substeps*dshort - self%dt) <= multiple_tolerance*self%dt) return
   end if
   below = int(min(ratio, 1.0e6_dp))
   smaller = "dshort " // digits_of(self%dt/(below + 1)) // " ps"
   larger = "timestep " // digits_of((below + 1)*dshort/femtosecond) // " fs"
   if (below > 0) then
      smaller = "dshort " // digits_of(self%dt/below) // " or " // digits_of(self%dt/(below + 1)) // " ps"
      larger = "timestep " // digits_of(below*dshort/femtosecond) // " or " // &
         & digits_of((below + 1)*dshort/femtosecond) // " fs"
   end if
   call fatal_error(error, about(entries, merge("timestep", "dshort  ", is_given(entries, "timestep"))) // &
      & ": the outer step of " // digits_of(self%dt/femtosecond) // " fs is not a whole multiple of the inner " // &
      & "step of " // digits_of(dshort) // " ps (keyword 'dshort'); the nearest that fit are " // smaller // &
      & ", or " // larger)
end subroutine choose_substeps


!> Twelve decimals without trailing zeros: enough to be read back within the tolerance
pure function digits_of(value) result(text)
   real(dp), intent(in) :: value
   character(len=:), allocatable :: text
   character(len=40) :: buffer
   integer :: last

   write(buffer, "(f30.12)") value
   buffer = adjustl(buffer)
   last = verify(buffer, "0 ", back=.true.)
   if (buffer(last:last) == ".") last = last - 1
   text = buffer(1:last)
end function digits_of

end module fennix_ladder_choice
