! SPDX-License-Identifier: MIT
!> A run to and from its exact checkpoint NAME.chk.
module fennix_resume
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type, new_cell_from_vectors, open_cell
   use fennix_checkpoint, only : checkpoint_type, get, put
   use fennix_checkpoint_file, only : load_checkpoint, save_checkpoint
   use fennix_observables, only : new_observables
   use fennix_opening, only : degrees_of_freedom
   use fennix_pairs, only : build_pairs
   use fennix_run_state, only : simulation_type
   implicit none
   private
   public :: save_run, load_run

contains


!> Write everything that the continuation depends on
subroutine save_run(self, error)
   type(simulation_type), intent(in) :: self
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: chk
   integer(i8) :: bytes, n_frames
   integer :: k

   ! A file that is not written now stays what the run that wrote it left
   bytes = self%keep_bytes
   n_frames = self%keep_frames
   if (self%archive%is_open) bytes = self%archive%bytes
   if (self%frames%active) n_frames = self%frames%n_frames
   call put(chk, "integrator", self%settings%integrator)
   call put(chk, "precision", self%settings%precision)
   call put(chk, "time step", self%settings%dt)
   call put(chk, "substeps", int(self%settings%n_substeps, i4))
   call put(chk, "skin", self%settings%skin)
   call put(chk, "threads", int(self%settings%threads, i4))
   call put(chk, "temperature", self%settings%temperature)
   call put(chk, "friction", self%settings%friction)
   call put(chk, "randomseed", self%settings%seed)
   call put(chk, "ml-force-cap", self%settings%force_cap)
   call put(chk, "ml-qtot", self%settings%total_charge)
   call put(chk, "remove-inertia", int(self%settings%remove_inertia, i4))
   call put(chk, "heavy-hydrogen", on_off(self%settings%heavy_hydrogen))
   call put(chk, "time at origin", self%origin_time)
   call put(chk, "counters", [self%step, self%origin_step, self%motion%inner_step, self%motion%n_capped, self%key, &
      & bytes, n_frames])
   call put(chk, "heat", self%motion%heat)
   call put(chk, "cell", self%cell%vectors)
   call put(chk, "number", self%atoms%number)
   call put(chk, "mass", self%atoms%mass)
   call put(chk, "position", self%atoms%position)
   call put(chk, "velocity", self%atoms%velocity)
   do k = 1, size(self%ladder%levels)
      associate (level => self%ladder%levels(k))
         call put(chk, tag("model", k), level%provider%label)
         call put(chk, tag("energy", k), level%energy)
         call put(chk, tag("virial", k), level%virial)
         call put(chk, tag("force", k), level%forces)
         call put(chk, tag("list version", k), [level%pairs%version])
         call put(chk, tag("list reference", k), level%pairs%reference)
         call put(chk, tag("list cell", k), level%pairs%reference_cell)
      end associate
   end do
   call save_checkpoint(chk, self%settings%name // ".chk", error)
end subroutine save_run


!> Take up a run where its checkpoint left it
subroutine load_run(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: chk
   integer(i8) :: counters(7)
   integer :: k

   call load_checkpoint(chk, self%settings%name // ".chk", error)
   if (.not. allocated(error)) call check_same_run(self, chk, error)
   if (.not. allocated(error)) call get(chk, "counters", counters, error)
   if (.not. allocated(error)) call get(chk, "time at origin", self%origin_time, error)
   if (.not. allocated(error)) call get(chk, "randomseed", self%settings%seed, error)
   if (.not. allocated(error)) call load_state(self, chk, error)
   if (allocated(error)) return
   self%step = counters(1)
   self%origin_step = counters(2)
   self%motion%inner_step = counters(3)
   self%motion%n_capped = counters(4)
   self%key = counters(5)
   self%keep_bytes = counters(6)
   self%keep_frames = counters(7)
   do k = 1, size(self%ladder%levels)
      call load_level(self, chk, k, error)
      if (allocated(error)) return
   end do
end subroutine load_run


!> Positions, velocities, masses, cell, heat
subroutine load_state(self, chk, error)
   type(simulation_type), intent(inout) :: self
   type(checkpoint_type), intent(in) :: chk
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: vectors(3, 3)
   logical :: was_periodic

   call get(chk, "position", self%atoms%position, error)
   if (.not. allocated(error)) call get(chk, "velocity", self%atoms%velocity, error)
   if (.not. allocated(error)) call get(chk, "mass", self%atoms%mass, error)
   if (.not. allocated(error)) call get(chk, "heat", self%motion%heat, error)
   if (.not. allocated(error)) call get(chk, "cell", vectors, error)
   if (allocated(error)) return
   was_periodic = self%cell%periodic
   self%cell = open_cell()
   if (any(abs(vectors) > 0.0_dp)) call new_cell_from_vectors(self%cell, vectors, error)
   ! The run may have taken its box from a NAME.dyn
   if (self%cell%periodic .neqv. was_periodic) then
      call new_observables(self%obs, self%atoms, self%cell%periodic, &
         & degrees_of_freedom(self%settings, self%atoms%n), self%settings%langevin)
      self%obs%has_pressure = self%cell%periodic .and. self%ladder%levels(1)%provider%has_virial
   end if
end subroutine load_state


!> Forces, and the pair list as it stood: built from the positions it was built from
subroutine load_level(self, chk, k, error)
   type(simulation_type), intent(inout) :: self
   type(checkpoint_type), intent(in) :: chk
   integer, intent(in) :: k
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: reference(:, :)
   type(cell_type) :: reference_cell
   real(dp) :: vectors(3, 3)
   integer(i8) :: version(1)

   allocate(reference(3, self%atoms%n))
   associate (level => self%ladder%levels(k))
      call get(chk, tag("energy", k), level%energy, error)
      if (.not. allocated(error)) call get(chk, tag("virial", k), level%virial, error)
      if (.not. allocated(error)) call get(chk, tag("force", k), level%forces, error)
      if (.not. allocated(error)) call get(chk, tag("list version", k), version, error)
      if (.not. allocated(error)) call get(chk, tag("list reference", k), reference, error)
      if (.not. allocated(error)) call get(chk, tag("list cell", k), vectors, error)
      if (allocated(error)) return
      if (self%cell%periodic) call new_cell_from_vectors(reference_cell, vectors, error)
      if (allocated(error)) return
      call build_pairs(level%pairs, reference_cell, reference)
      level%pairs%version = version(1)
   end associate
end subroutine load_level


!> Refuse to continue another run bitwise: what changes the trajectory must be the same
subroutine check_same_run(self, chk, error)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(in) :: chk
   type(error_type), allocatable, intent(out) :: error
   integer(i4), allocatable :: number(:)
   integer :: k

   allocate(number(self%atoms%n))
   call get(chk, "number", number, error)
   if (allocated(error)) return
   if (any(number /= self%atoms%number)) then
      call fatal_error(error, chk%path // ": the checkpoint holds other elements than the structure file")
      return
   end if
   call same_text(chk, "integrator", self%settings%integrator, error)
   if (.not. allocated(error)) call same_text(chk, "precision", self%settings%precision, error)
   if (.not. allocated(error)) call same_number(chk, "time step", self%settings%dt, error)
   if (.not. allocated(error)) call same_number(chk, "skin", self%settings%skin, error)
   if (.not. allocated(error)) call same_count(chk, "substeps", self%settings%n_substeps, error)
   if (.not. allocated(error)) call same_count(chk, "threads", self%settings%threads, error)
   if (.not. allocated(error)) call check_same_physics(self, chk, error)
   do k = 1, size(self%ladder%levels)
      if (allocated(error)) return
      call same_text(chk, tag("model", k), self%ladder%levels(k)%provider%label, error)
   end do
end subroutine check_same_run


!> The keywords that enter each step
subroutine check_same_physics(self, chk, error)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(in) :: chk
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: seed

   call same_number(chk, "ml-force-cap", self%settings%force_cap, error)
   if (.not. allocated(error)) call same_number(chk, "ml-qtot", self%settings%total_charge, error)
   if (.not. allocated(error)) call same_count(chk, "remove-inertia", self%settings%remove_inertia, error)
   if (.not. allocated(error)) call same_text(chk, "heavy-hydrogen", on_off(self%settings%heavy_hydrogen), error)
   if (allocated(error) .or. .not. self%settings%langevin) return
   call same_number(chk, "temperature", self%settings%temperature, error)
   if (.not. allocated(error)) call same_number(chk, "friction", self%settings%friction, error)
   if (.not. allocated(error)) call get(chk, "randomseed", seed, error)
   if (allocated(error) .or. .not. self%settings%seed_given .or. seed == self%settings%seed) return
   call refuse(chk, "randomseed", to_text(seed), to_text(self%settings%seed), error)
end subroutine check_same_physics


subroutine same_text(chk, name, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name, expected
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: found

   call get(chk, name, found, error)
   if (allocated(error)) return
   if (found /= expected) call refuse(chk, name, found, expected, error)
end subroutine same_text


subroutine same_number(chk, name, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name
   real(dp), intent(in) :: expected
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: found

   call get(chk, name, found, error)
   if (allocated(error)) return
   if (abs(found - expected) > 0.0_dp) call refuse(chk, name, to_text(found), to_text(expected), error)
end subroutine same_number


subroutine same_count(chk, name, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name
   integer, intent(in) :: expected
   type(error_type), allocatable, intent(out) :: error
   integer(i4) :: found

   call get(chk, name, found, error)
   if (allocated(error)) return
   if (found /= expected) call refuse(chk, name, to_text(int(found)), to_text(expected), error)
end subroutine same_count


!> The sentence for a run that differs
subroutine refuse(chk, name, found, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name, found, expected
   type(error_type), allocatable, intent(out) :: error

   call fatal_error(error, chk%path // ": --resume continues bitwise and needs the same " // name // &
      & "; the checkpoint has '" // found // "', this run '" // expected // "' (start from NAME.dyn to change it)")
end subroutine refuse


!> A switch in words
pure function on_off(switch)
   logical, intent(in) :: switch
   character(len=:), allocatable :: on_off

   on_off = trim(merge("on ", "off", switch))
end function on_off


!> "force 1"
pure function tag(name, k)
   character(len=*), intent(in) :: name
   integer, intent(in) :: k
   character(len=:), allocatable :: tag

   tag = name // " " // to_text(k)
end function tag

end module fennix_resume
