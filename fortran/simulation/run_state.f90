! SPDX-License-Identifier: MIT
!> Everything a run consists of, in one record.
module fennix_run_state
   use fennix_kinds, only : dp, i8
   use fennix_comm, only : sum_all
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_settings, only : settings_type
   use fennix_system, only : start_type
   use fennix_timer, only : timer_type
   use fennix_collect, only : collect_rows
   use fennix_domain, only : domain_type
   use fennix_ladder, only : ladder_type
   use fennix_levels, only : total_energy
   use fennix_motion, only : kinetic_by_element, mid_step_kinetic, motion_type
   use fennix_observables, only : complete_observables, observables_type, set_kinetic, set_kinetic_mid
   use fennix_archive, only : archive_type
   use fennix_frames, only : frames_type
   use fennix_harvest_type, only : harvest_type
   use fennix_log, only : log_type
   implicit none
   private
   public :: simulation_type, measure, run_time, is_root, collect_atoms

   type :: simulation_type
      type(settings_type) :: settings
      type(cell_type) :: cell
      !> Atoms that this rank owns, by ascending id
      type(atoms_type) :: atoms
      !> The whole system on rank 0: names, types, elements, masses and bonds, as files show them; positions and
      !> velocities only while they are being written
      type(atoms_type) :: whole
      !> The ranks and what they have agreed on
      type(domain_type) :: domain
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
      type(harvest_type) :: harvest
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
      !> A failure left positions, velocities and forces of different moments: nothing may be saved of them
      logical :: spoilt = .false.
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


!> Rank 0, which reads, prints and writes
pure function is_root(self)
   type(simulation_type), intent(in) :: self
   logical :: is_root

   is_root = self%domain%comm%rank == 0
end function is_root


!> Positions and velocities of all atoms on rank 0; all ranks call this together
subroutine collect_atoms(self)
   type(simulation_type), intent(inout) :: self

   call collect_rows(self%domain%comm, self%atoms%id, self%atoms%position, self%whole%position)
   call collect_rows(self%domain%comm, self%atoms%id, self%atoms%velocity, self%whole%velocity)
end subroutine collect_atoms


!> Fill the observables from the present velocities and the last forces; all ranks call this together
subroutine measure(self)
   type(simulation_type), intent(inout) :: self
   real(dp), allocatable :: sums(:)
   integer :: n

   n = size(self%motion%element)
   self%obs%step = self%step
   self%obs%inner_step = self%motion%inner_step
   self%obs%time = run_time(self)
   sums = [kinetic_by_element(self%motion, self%atoms), mid_step_kinetic(self%motion), self%motion%heat]
   call sum_all(self%domain%comm, sums)
   call set_kinetic(self%obs, sums(:n))
   if (self%obs%has_mid .and. self%motion%n_mid > 0) call set_kinetic_mid(self%obs, sums(n + 1:2*n))
   ! Before the first step there is no mid-step yet
   if (self%obs%has_mid .and. self%motion%n_mid == 0) call set_kinetic_mid(self%obs, sums(:n))
   call complete_observables(self%obs, self%cell, total_energy(self%ladder%levels(1), self%domain), &
      & self%ladder%levels(1)%virial, sums(2*n + 1))
end subroutine measure

end module fennix_run_state
