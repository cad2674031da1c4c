! SPDX-License-Identifier: MIT
!> Running averages and standard deviations of all observables (Welford's recurrence: no cancellation).
module fennix_averages
   use fennix_kinds, only : dp, i8
   use fennix_observables, only : all_values, observables_type
   implicit none
   private
   public :: averages_type, add_sample, deviation

   type :: averages_type
      integer(i8) :: n_samples = 0
      !> Outer steps of the first and of the last sample
      integer(i8) :: first_step = 0, last_step = 0
      !> In the order of all_values
      real(dp), allocatable :: mean(:)
      !> Sum of squared deviations from the mean
      real(dp), allocatable :: squares(:)
   end type averages_type

contains


!> Add the observables of one step; a step that was the last sample already is not counted twice
pure subroutine add_sample(self, obs)
   type(averages_type), intent(inout) :: self
   type(observables_type), intent(in) :: obs
   real(dp), allocatable :: values(:), difference(:)

   if (self%n_samples > 0 .and. obs%step == self%last_step) return
   values = all_values(obs)
   if (self%n_samples == 0) then
      self%first_step = obs%step
      self%mean = 0.0_dp*values
      self%squares = 0.0_dp*values
   end if
   self%n_samples = self%n_samples + 1
   self%last_step = obs%step
   difference = values - self%mean
   self%mean = self%mean + difference/real(self%n_samples, dp)
   self%squares = self%squares + difference*(values - self%mean)
end subroutine add_sample


!> Standard deviation of the samples of one value
pure function deviation(self, place)
   type(averages_type), intent(in) :: self
   !> Index into all_values
   integer, intent(in) :: place
   real(dp) :: deviation

   deviation = 0.0_dp
   if (self%n_samples > 1) deviation = sqrt(self%squares(place)/real(self%n_samples - 1, dp))
end function deviation

end module fennix_averages
