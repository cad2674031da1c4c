! SPDX-License-Identifier: MIT
!> The sections of the settings, each read from the keywords that belong to it.
module fennix_sections
   use fennix_kinds, only : dp, i8
   use fennix_units, only : femtosecond
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_strings, only : append, join, lower, to_integer
   use fennix_settings, only : settings_type
   use fennix_elements, only : atomic_number
   use fennix_keyfile, only : entry_type, last_entry
   use fennix_locate, only : locate_model
   use fennix_ladder_choice, only : choose_ensemble, choose_integrator, choose_substeps
   use fennix_seed, only : draw_seed
   use fennix_values, only : about, choose_word, get_choice, get_count, get_integer, get_number, get_switch, get_text, &
      & is_given
   implicit none
   private
   public :: read_models, read_dynamics, read_run, read_box, read_elements, read_minimize, read_output, read_parallel, &
      & read_harvest

   !> Outer steps, unless the keyfile says how many
   integer(i8), parameter :: fewest_between_checkpoints = 100

contains


!> Models and how they are evaluated
subroutine read_models(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: model, source_name

   call get_text(entries, "ml-model", model, error)
   if (allocated(error)) return
   if (.not. allocated(model)) then
      source_name = "keywords"
      if (len(self%key_file) > 0) source_name = self%key_file
      call fatal_error(error, source_name // ": keyword 'ml-model' is missing; it names the model, for example: " // &
         & "ml-model water-accurate")
      return
   end if
   self%model_accurate = locate_model(self%key_file, model)
   self%place_accurate = about(entries, "ml-model")
   self%place_fast = about(entries, "ml-model-fast")
   call get_text(entries, "ml-model-fast", model, error)
   if (allocated(error)) return
   if (allocated(model)) self%model_fast = locate_model(self%key_file, model)
   call get_device(entries, self%device, error)
   if (.not. allocated(error)) call get_choice(entries, "ml-precision", ["float32", "float64"], self%precision, error)
   if (.not. allocated(error)) call get_count(entries, "ml-threads", self%threads, error)
   if (.not. allocated(error)) call get_number(entries, "ml-qtot", self%total_charge, error)
   if (.not. allocated(error)) call get_number(entries, "ml-force-cap", self%force_cap, error)
end subroutine read_models


!> auto, cpu, cuda or cuda:N
subroutine get_device(entries, device, error)
   type(entry_type), intent(in) :: entries(:)
   character(len=:), allocatable, intent(inout) :: device
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: word
   integer(i8) :: index_of
   logical :: ok

   call get_text(entries, "ml-device", word, error)
   if (allocated(error) .or. .not. allocated(word)) return
   device = lower(word)
   if (index(device, "cuda:") == 1) then
      call to_integer(device(6:), index_of, ok)
      if (ok .and. index_of >= 0) return
   end if
   call choose_word(about(entries, "ml-device"), device, ["auto  ", "cpu   ", "cuda  ", "cuda:0"], error)
end subroutine get_device


!> Integrator, ensemble, thermostat, steps in time
subroutine read_dynamics(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: dt

   call choose_ensemble(self, entries, error)
   if (.not. allocated(error)) call choose_integrator(self, entries, error)
   if (allocated(error)) return
   dt = self%dt/femtosecond
   call get_number(entries, "timestep", dt, error)
   if (allocated(error)) return
   self%dt = dt*femtosecond
   call choose_substeps(self, entries, error)
   if (.not. allocated(error)) call get_number(entries, "temperature", self%temperature, error)
   self%initial_temperature = self%temperature
   if (.not. allocated(error)) call get_number(entries, "initial-temperature", self%initial_temperature, error)
   if (.not. allocated(error)) call get_number(entries, "pressure", self%pressure, error)
   if (.not. allocated(error)) call get_number(entries, "friction", self%friction, error)
   if (.not. allocated(error)) call get_count(entries, "remove-inertia", self%remove_inertia, error)
   if (.not. allocated(error)) call get_switch(entries, "heavy-hydrogen", self%heavy_hydrogen, error)
   if (.not. allocated(error)) call get_number(entries, "list-buffer", self%skin, error)
   if (allocated(error)) return
   if (is_given(entries, "friction") .and. .not. self%langevin) call add_note(self, entries, "friction", &
      & "has no effect in nve")
   if (is_given(entries, "dshort") .and. .not. self%two_level) call add_note(self, entries, "dshort", &
      & "has no effect with the one-level integrator " // self%integrator)
   if (is_given(entries, "pressure")) call add_note(self, entries, "pressure", &
      & "has no effect: pressure coupling is not there yet")
end subroutine read_dynamics


!> How long, how often, which random numbers
subroutine read_run(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: dump, steps

   call get_integer(entries, "steps", self%n_steps, error)
   dump = 0.1_dp
   if (.not. allocated(error)) call get_number(entries, "dump", dump, error)
   if (allocated(error)) return
   steps = min(dump/self%dt, 1.0e15_dp)
   self%dump_every = max(1_i8, nint(steps, i8))
   if (is_given(entries, "dump") .and. abs(steps - self%dump_every) > 1.0e-6_dp*steps) call add_note(self, entries, &
      & "dump", "is no whole number of steps; frames are written every " // to_text(self%dump_every) // " steps, " // &
      & to_text(self%dump_every*self%dt) // " ps")
   ! A checkpoint forces all files to disk, which takes longer than a step of a small system
   self%checkpoint_every = self%dump_every*((fewest_between_checkpoints - 1)/self%dump_every + 1)
   call get_integer(entries, "checkpoint-every", self%checkpoint_every, error)
   if (.not. allocated(error)) call get_integer(entries, "printout", self%print_every, error)
   if (.not. allocated(error)) call get_number(entries, "maxh", self%max_hours, error)
   self%seed_given = is_given(entries, "randomseed")
   if (.not. self%seed_given) self%seed = draw_seed()
   if (.not. allocated(error)) call get_integer(entries, "randomseed", self%seed, error)
end subroutine read_run


!> A box in the keyfile: a-axis, and what differs from a cube
subroutine read_box(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   character(len=6), parameter :: length_names(3) = ["a-axis", "b-axis", "c-axis"]
   character(len=5), parameter :: angle_names(3) = ["alpha", "beta ", "gamma"]
   character(len=:), allocatable :: other
   integer :: k

   self%box_given = is_given(entries, "a-axis")
   other = ""
   do k = 1, 3
      if (is_given(entries, length_names(k))) other = length_names(k)
      if (is_given(entries, trim(angle_names(k)))) other = trim(angle_names(k))
   end do
   if (.not. self%box_given) then
      if (len(other) > 0) call fatal_error(error, about(entries, other) // " needs the keyword 'a-axis' beside it")
      return
   end if
   self%box_origin = about(entries, "a-axis")
   do k = 1, 3
      if (.not. allocated(error)) call get_number(entries, length_names(k), self%box_lengths(k), error)
      if (k == 1) self%box_lengths(2:3) = self%box_lengths(1)
      if (.not. allocated(error)) call get_number(entries, trim(angle_names(k)), self%box_angles(k), error)
   end do
end subroutine read_box


!> Elements of atom names, as many as there are keywords
subroutine read_elements(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   integer :: k, number

   do k = 1, size(entries)
      if (entries(k)%keyword /= "element") cycle
      number = 0
      if (size(entries(k)%value) == 2) number = atomic_number(entries(k)%value(2)%text)
      if (number == 0) then
         call fatal_error(error, entries(k)%place // ": keyword 'element' expects an atom name and an element " // &
            & "symbol (element CA C), got '" // join(entries(k)%value, " ") // "'")
         return
      end if
      call append(self%element_name, entries(k)%value(1)%text)
      self%element_number = [self%element_number, number]
   end do
end subroutine read_elements


!> How the system is spread over ranks
subroutine read_parallel(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: bricks
   integer :: k, axis
   logical :: ok

   call get_choice(entries, "halo", ["auto    ", "wide    ", "exchange"], self%halo, error)
   k = last_entry(entries, "decomp3d")
   if (allocated(error) .or. k == 0) return
   self%place_decomposition = about(entries, "decomp3d")
   ok = size(entries(k)%value) == 3
   do axis = 1, merge(3, 0, ok)
      call to_integer(entries(k)%value(axis)%text, bricks, ok)
      if (ok) ok = bricks > 0 .and. bricks < 100000
      if (.not. ok) exit
      self%decomposition(axis) = int(bricks)
   end do
   if (.not. ok) call fatal_error(error, self%place_decomposition // " expects three whole numbers, the bricks along " &
      & // "each box vector (decomp3d 2 2 1), got '" // join(entries(k)%value, " ") // "'")
end subroutine read_parallel


!> The minimiser
subroutine read_minimize(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error

   call get_switch(entries, "minimize", self%minimize, error)
   if (.not. allocated(error)) call get_number(entries, "minimize-rms", self%minimize_rms, error)
   if (.not. allocated(error)) call get_count(entries, "minimize-steps", self%minimize_steps, error)
end subroutine read_minimize


!> What is written
subroutine read_output(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   logical :: no_archive

   no_archive = .false.
   call get_switch(entries, "verbose", self%verbose, error)
   if (.not. allocated(error)) call get_switch(entries, "archive", self%archive, error)
   if (.not. allocated(error)) call get_switch(entries, "noarchive", no_archive, error)
   if (no_archive) self%archive = .false.
   if (.not. allocated(error)) call get_switch(entries, "h5md", self%h5md, error)
   if (.not. allocated(error)) call get_switch(entries, "save-velocity", self%save_velocity, error)
   if (.not. allocated(error)) call get_switch(entries, "save-force", self%save_force, error)
   if (.not. allocated(error)) call get_switch(entries, "restart-files", self%restart_files, error)
   if (.not. allocated(error)) call get_count(entries, "digits", self%digits, error)
end subroutine read_output


!> Which outer steps go into NAME.holes.h5; there must be two models to compare
subroutine read_harvest(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error

   call get_number(entries, "harvest-force", self%harvest_force, error)
   if (.not. allocated(error)) call get_integer(entries, "harvest-max", self%harvest_max, error)
   if (allocated(error)) return
   if (is_given(entries, "harvest-force") .and. .not. self%two_level) then
      call fatal_error(error, about(entries, "harvest-force") // " compares the forces of two models, but the " // &
         & "integrator '" // self%integrator // "' has one level; take respa or baoabrespa with ml-model-fast, or " // &
         & "leave it out")
   else if (is_given(entries, "harvest-max") .and. .not. is_given(entries, "harvest-force")) then
      call add_note(self, entries, "harvest-max", "has no effect without harvest-force")
   end if
end subroutine read_harvest


!> A sentence about a keyword that is right but does not do what one may think
subroutine add_note(self, entries, keyword, text)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   character(len=*), intent(in) :: text

   call append(self%notes, about(entries, keyword) // " " // text // ".")
end subroutine add_note

end module fennix_sections
