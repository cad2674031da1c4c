! SPDX-License-Identifier: MIT
!> A simulation from its settings to its last step: new, prepare, run (the loop), finish.
module fennix_simulation
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_crc32, only : crc32
   use fennix_comm, only : broadcast_text, comm_type, max_all
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_domain, only : fail, new_domain, settle, stop_clock, stop_file
   use fennix_settings, only : settings_type
   use fennix_system, only : start_type
   use fennix_files, only : path_exists, remove_file
   use fennix_ladder, only : evaluate_all, outer_step
   use fennix_langevin, only : langevin_type
   use fennix_levels, only : new_level
   use fennix_log, only : log_begin, log_line, say
   use fennix_motion, only : clear_tally, new_motion
   use fennix_observables, only : new_observables
   use fennix_opening, only : check_contacts, check_outputs, degrees_of_freedom, describe_levels, distribute
   use fennix_closing, only : describe_end
   use fennix_harvest, only : flush_harvest, look_for_holes
   use fennix_minimization, only : minimize_run
   use fennix_outputs, only : close_outputs, is_due, open_outputs, report_step, save_first, &
      & save_restart, write_trajectory
   use fennix_provider, only : identity_of, new_provider, provider_type
   use fennix_random, only : mix_seed
   use fennix_resume, only : load_run
   use fennix_run_state, only : is_root, measure, simulation_type
   use fennix_seam, only : frame_sink_record, provider_record
   use fennix_signals, only : signal_name, signal_number
   use fennix_thermostat, only : null_thermostat_type
   use fennix_timer, only : timer_accurate, timer_fast, timer_startup, timer_total
   use fennix_velocities, only : draw_velocities, remove_drift
   implicit none
   private
   public :: simulation_type, new_simulation, set_provider, set_frame_sink, prepare, run, finish

contains


!> A simulation of this system, still without models; all ranks call this together
subroutine new_simulation(self, comm, settings, cell, atoms, start, unit, quiet)
   type(simulation_type), intent(out) :: self
   type(comm_type), intent(in) :: comm
   type(settings_type), intent(in) :: settings
   type(cell_type), intent(in) :: cell
   !> The whole system, significant on rank 0
   type(atoms_type), intent(in) :: atoms
   type(start_type), intent(in) :: start
   !> Where the log goes
   integer, intent(in) :: unit
   !> No log at all, as in runs from Python
   logical, intent(in) :: quiet

   call self%timer%start(timer_startup)
   self%settings = settings
   self%cell = cell
   self%start = start
   self%stop_reason = ""
   call take_atoms(self, comm, atoms)
   call new_domain(self%domain, comm, self%atoms)
   self%domain%wanted_shape = settings%decomposition
   allocate(self%ladder%levels(merge(2, 1, settings%two_level)))
   self%ladder%force_cap = settings%force_cap
   call new_motion(self%motion, self%domain%composition)
   call new_observables(self%obs, self%domain%composition, self%domain%mass_of, cell%periodic, &
      & degrees_of_freedom(settings, self%domain%n_global), settings%langevin)
   self%log%unit = unit
   self%log%quiet = quiet .or. comm%rank > 0
   self%log%n_ranks = comm%size
   self%key = settings%seed
   if (start%step >= 0) self%step = start%step
   if (start%inner_step >= 0) self%motion%inner_step = start%inner_step
   self%origin_step = self%step
   self%origin_time = real(self%step, dp)*settings%dt
   if (start%time >= 0.0_dp) self%origin_time = start%time
end subroutine new_simulation


!> At first rank 0 owns all atoms
subroutine take_atoms(self, comm, atoms)
   type(simulation_type), intent(inout) :: self
   type(comm_type), intent(in) :: comm
   type(atoms_type), intent(in) :: atoms
   integer :: n

   if (comm%rank == 0) then
      self%whole = atoms
   else
      allocate(self%whole%position(3, 0), self%whole%velocity(3, 0))
   end if
   n = merge(atoms%n, 0, comm%rank == 0)
   self%atoms%n = n
   allocate(self%atoms%id(n), self%atoms%number(n), self%atoms%mass(n))
   allocate(self%atoms%position(3, n), self%atoms%velocity(3, n))
   if (n == 0) return
   self%atoms%id(:) = atoms%id
   self%atoms%number(:) = atoms%number
   self%atoms%mass(:) = atoms%mass
   self%atoms%position(:, :) = atoms%position
   self%atoms%velocity(:, :) = atoms%velocity
end subroutine take_atoms


!> Give a level its model: 1 = accurate, 2 = fast
subroutine set_provider(self, index, record, error)
   type(simulation_type), intent(inout) :: self
   integer, intent(in) :: index
   type(provider_record), intent(in) :: record
   type(error_type), allocatable, intent(out) :: error
   type(provider_type) :: provider
   character(len=:), allocatable :: place

   if (index < 1 .or. index > size(self%ladder%levels)) then
      call fatal_error(error, "level " // to_text(index) // " does not exist; this run has " // &
         & to_text(size(self%ladder%levels)))
      return
   end if
   call new_provider(provider, record, error)
   call settle(self%domain, error)
   if (.not. allocated(error)) call check_alike(self, provider, error)
   if (.not. allocated(error) .and. index == 1 .and. self%settings%two_level .and. .not. provider%conservative) then
      call fatal_error(error, "the accurate model " // provider%label // " declares forces that are no gradient; " // &
         & "only the fast model may be non-conservative")
   end if
   if (.not. allocated(error)) then
      call new_level(self%ladder%levels(index), index, provider, self%domain, self%settings%skin, &
         & self%settings%total_charge, self%settings%halo, merge(timer_accurate, timer_fast, index == 1), error)
   end if
   place = self%settings%place_accurate
   if (index == 2) place = self%settings%place_fast
   if (allocated(error)) then
      error%message = place // ": " // error%message
      return
   end if
   self%ladder%levels(index)%place = place
   if (index == 2) self%ladder%levels(2)%substeps = self%settings%n_substeps
   if (index == 1) self%obs%has_pressure = self%cell%periodic .and. provider%has_virial
   if (abs(self%settings%total_charge) > 0.0_dp .and. .not. provider%uses_charge) then
      call say(self%log, " Warning: the model " // provider%label // " does not use a total charge; ml-qtot is ignored")
   end if
end subroutine set_provider


!> Ranks with different models would wait for each other's messages, or worse
subroutine check_alike(self, provider, error)
   type(simulation_type), intent(in) :: self
   type(provider_type), intent(in) :: provider
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: ends(2, 5)
   character(len=:), allocatable :: identity

   identity = identity_of(provider%label)
   ends(1, :) = [provider%cutoff, provider%range, provider%center_range, real(provider%record%traits, dp), &
      & real(crc32(transfer(identity, [0_int8], len(identity))), dp)]
   ends(2, :) = -ends(1, :)
   call max_all(self%domain%comm, ends(1, :))
   call max_all(self%domain%comm, ends(2, :))
   if (all(ends(1, :) <= -ends(2, :))) return
   call fatal_error(error, "the ranks have different models; rank 0 has " // rank_0_text(self, identity))
end subroutine check_alike


!> A text of rank 0 on all ranks
function rank_0_text(self, mine) result(text)
   type(simulation_type), intent(in) :: self
   character(len=*), intent(in) :: mine
   character(len=:), allocatable :: text

   text = mine
   call broadcast_text(self%domain%comm, text, 0)
end function rank_0_text


!> Say who consumes the frames: 1 those of NAME.h5, 2 those of NAME.holes.h5
subroutine set_frame_sink(self, which, record)
   type(simulation_type), intent(inout) :: self
   integer, intent(in) :: which
   type(frame_sink_record), intent(in) :: record

   if (which == 1) self%frames%sink = record
   if (which == 2) self%harvest%holes%sink = record
end subroutine set_frame_sink


!> Everything before the first step: checkpoint or velocities, first forces, files, the head of the log
subroutine prepare(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   call check_outputs(self, error)
   if (.not. (allocated(error) .or. self%settings%resume)) call check_contacts(self, error)
   call settle(self%domain, error)
   if (allocated(error)) return
   call distribute(self, error)
   if (allocated(error)) return
   if (self%settings%resume) then
      call load_run(self, error)
      if (.not. allocated(error)) call say(self%log, " Continuing from " // self%settings%name // ".chk, step " // &
         & to_text(self%step))
   else
      call first_forces(self, error)
   end if
   if (allocated(error)) return
   call set_thermostat(self)
   self%first_step = self%step
   self%last_step = self%origin_step + self%settings%n_steps
   call measure(self)
   call open_outputs(self, error)
   if (allocated(error)) return
   call describe_levels(self)
   ! A single point has no step at which to write its frame
   if (self%settings%n_steps == 0 .and. self%start%kind == "xyz" .and. .not. self%settings%embedded) then
      call write_trajectory(self, error)
   end if
   if (allocated(error)) return
   if (self%settings%restart_files .and. .not. self%settings%resume .and. self%settings%n_steps > 0) then
      call save_first(self, error)
   end if
   self%prepared = .not. allocated(error)
   if (allocated(self%whole%position)) deallocate(self%whole%position, self%whole%velocity)
   call self%timer%stop(timer_startup)
   call self%timer%reset()
end subroutine prepare


!> Minimise if asked, draw velocities unless given, evaluate both levels
subroutine first_forces(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   if (self%settings%minimize) then
      call minimize_run(self, error)
      if (allocated(error)) return
   end if
   if (.not. self%start%has_velocity) then
      call draw_velocities(self%domain%comm, self%atoms, self%settings%initial_temperature, self%key)
   else if (self%settings%langevin .and. self%start%inner_step < 0) then
      call new_stream(self)
   end if
   call evaluate_all(self%ladder, self%domain, self%atoms, self%cell, self%motion, self%timer, error)
end subroutine first_forces


!> A start that does not know how many random numbers were used takes a fresh stream, and says which
subroutine new_stream(self)
   type(simulation_type), intent(inout) :: self
   character(len=:), allocatable :: text
   integer(i8) :: nonce

   call system_clock(nonce)
   ! The clock of rank 0 counts
   text = to_text(nonce)
   call broadcast_text(self%domain%comm, text, 0)
   read(text, *) nonce
   self%key = mix_seed(self%settings%seed, nonce)
   call say(self%log, " The restart file does not say how many random numbers were used: seed " // &
      & to_text(self%settings%seed) // " mixed with nonce " // to_text(nonce))
end subroutine new_stream


!> The O step that the settings ask for
subroutine set_thermostat(self)
   type(simulation_type), intent(inout) :: self

   if (self%settings%langevin) then
      self%ladder%thermostat = langevin_type(temperature=self%settings%temperature, friction=self%settings%friction, &
         & seed=self%key)
   else
      self%ladder%thermostat = null_thermostat_type()
   end if
end subroutine set_thermostat


!> THE loop. May be called again; each call goes on from where the last one stopped.
subroutine run(self, n_steps, error)
   type(simulation_type), intent(inout) :: self
   !> Outer steps to do
   integer(i8), intent(in) :: n_steps
   type(error_type), allocatable, intent(out) :: error
   logical :: due

   self%last_step = self%step + n_steps
   self%stop_reason = ""
   self%domain%stop_wish = 0
   call log_begin(self%log, self%obs, self%last_step, self%timer)
   if (self%step == self%first_step) call log_line(self%log, self%obs, self%timer)
   call self%timer%start(timer_total)
   call settle(self%domain, error)
   do while (self%step < self%last_step .and. .not. allocated(error))
      call look_for_stop(self)
      if (len(self%stop_reason) > 0) exit
      due = is_due(self, self%step + 1)
      call clear_tally(self%motion)
      call outer_step(self%ladder, self%domain, self%atoms, self%cell, self%settings%dt, due, self%motion, &
         & self%timer, error)
      if (allocated(error)) exit
      self%step = self%step + 1
      if (self%settings%remove_inertia > 0) then
         if (mod(self%step, int(self%settings%remove_inertia, i8)) == 0) call remove_drift(self%domain%comm, self%atoms)
      end if
      call look_for_holes(self, error)
      if (due .and. .not. allocated(error)) call report_step(self, error)
      if (allocated(error)) exit
      if (mod(self%step, self%settings%checkpoint_every) == 0) call save_restart(self, error)
   end do
   call flush_harvest(self, error)
   call self%timer%stop(timer_total)
   if (.not. allocated(error)) return
   call place_error(self, error)
   self%spoilt = .true.
end subroutine run


!> Say at which step a run failed
subroutine place_error(self, error)
   type(simulation_type), intent(in) :: self
   type(error_type), allocatable, intent(inout) :: error

   error%message = "after outer step " // to_text(self%step) // ": " // error%message
end subroutine place_error


!> Signals, NAME.end and the wall-clock limit end a run after a whole outer step. What rank 0 finds here, and the
!> signals of all ranks, are agreed on in the reductions of the step, so that all stop at the same one.
subroutine look_for_stop(self)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable :: error
   character(len=:), allocatable :: path
   real(dp) :: hours

   path = self%settings%name // ".end"
   if (is_root(self) .and. self%settings%restart_files .and. self%domain%stop_wish == 0) then
      if (path_exists(path)) then
         call remove_file(path, error)
         call fail(self%domain, error, .false.)
         self%domain%stop_wish = stop_file
      end if
   end if
   if (is_root(self) .and. self%settings%max_hours >= 0.0_dp .and. self%domain%stop_wish == 0) then
      hours = (self%timer%seconds(timer_total) + self%timer%seconds(timer_startup))/3600.0_dp
      if (hours >= self%settings%max_hours) self%domain%stop_wish = stop_clock
   end if
   ! Alone there is nobody to agree with, and no reason to wait
   if (self%domain%comm%size == 1) self%domain%stop_agreed = max(self%domain%stop_wish, signal_number())
   select case (self%domain%stop_agreed)
   case (0)
      self%stop_reason = ""
   case (stop_file)
      self%stop_reason = path
   case (stop_clock)
      self%stop_reason = "maxh"
   case default
      self%stop_reason = signal_name(self%domain%stop_agreed)
   end select
end subroutine look_for_stop


!> Last checkpoint, closed files, averages and where the time went
subroutine finish(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: close_error

   ! A Python program may have changed something since the last checkpoint
   if (self%prepared .and. .not. self%spoilt .and. self%step > self%first_step .and. &
      & (self%step /= self%saved_step .or. self%settings%embedded)) call save_restart(self, error)
   call close_outputs(self, close_error)
   call settle(self%domain, close_error)
   if (.not. allocated(error) .and. allocated(close_error)) call move_alloc(close_error, error)
   if (self%step == self%first_step) return
   call describe_end(self)
end subroutine finish

end module fennix_simulation
