! SPDX-License-Identifier: MIT
!> Everything a run consists of, in one record.
module fennix_run_state
   use fennix_kinds, only : dp, i8
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_settings, only : settings_type
   use fennix_system, only : start_type
   use fennix_timer, only : timer_type
   use fennix_ladder, only : ladder_type
   use fennix_motion, only : kinetic_by_element, mid_step_kinetic, motion_type
   use fennix_observables, only : complete_observables, observables_type, set_kinetic, set_kinetic_mid
   use fennix_archive, only : archive_type
   use fennix_frames, only : frames_type
   use fennix_log, only : log_type
   implicit none
   private
   public :: simulation_type, measure, run_time

   type :: simulation_type
      type(settings_type) :: settings
      type(cell_type) :: cell
      type(atoms_type) :: atoms
      !> Where positions and velocities came from
      type(start_type) :: start
      type(ladder_type) :: ladder
      type(motion_type) :: motion
      !> Measured at the last outer step that was reported (and after prepare)
      type(observables_type) :: obs
      type(timer_type) :: timer
      type(log_type) :: log
      type(archive_type) :: archive
      type(frames_type) :: frames
      !> Outer steps done since the trajectory began, resumed parts included
      integer(i8) :: step = 0
      !> Outer step at which the trajectory began (not 0 when it continued from NAME.dyn)
      integer(i8) :: origin_step = 0
      !> Simulated time at that step, ps
      real(dp) :: origin_time = 0.0_dp
      !> Bytes of NAME.arc and frames of NAME.h5 that belong to the run while it does not write them, -1 none
      integer(i8) :: keep_bytes = -1, keep_frames = -1
      !> Outer step of the last NAME.dyn and NAME.chk, -1 before the first
      integer(i8) :: saved_step = -1
      !> Outer step at which this process began, and the one it is asked to reach
      integer(i8) :: first_step = 0, last_step = 0
      !> Key of the random numbers: the seed, with a nonce when the stream's position is unknown
      integer(i8) :: key = 0
      !> Forces are those of the present positions
      logical :: prepared = .false.
      !> A signal, NAME.end or the wall-clock limit ended the run: the reason, else empty
      character(len=:), allocatable :: stop_reason
   end type simulation_type

contains


!> Simulated time, ps; from the origin of the trajectory, so that a resumed run gives the same bits
pure function run_time(self) result(time)
   type(simulation_type), intent(in) :: self
   real(dp) :: time

   time = self%origin_time + real(self%step - self%origin_step, dp)*self%settings%dt
end function run_time


!> Fill the observables from the present velocities and the last forces
subroutine measure(self)
   type(simulation_type), intent(inout) :: self

   self%obs%step = self%step
   self%obs%inner_step = self%motion%inner_step
   self%obs%time = run_time(self)
   call set_kinetic(self%obs, kinetic_by_element(self%motion, self%atoms))
   if (self%obs%has_mid .and. self%motion%n_mid > 0) call set_kinetic_mid(self%obs, mid_step_kinetic(self%motion))
   if (self%obs%has_mid .and. self%motion%n_mid == 0) then
      ! Before the first step there is no mid-step yet
      call set_kinetic_mid(self%obs, kinetic_by_element(self%motion, self%atoms))
   end if
   call complete_observables(self%obs, self%cell, self%ladder%levels(1)%energy, self%ladder%levels(1)%virial, &
      & self%motion%heat)
end subroutine measure

end module fennix_run_state
