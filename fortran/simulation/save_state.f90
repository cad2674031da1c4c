! SPDX-License-Identifier: MIT
!> A run into its exact checkpoint, whose arrays are in global order whatever the ranks.
module fennix_save_state
   use fennix_kinds, only : dp, i4, i8
   use fennix_comm, only : gather, sum_all
   use fennix_checkpoint, only : checkpoint_type, put
   use fennix_collect, only : collect_rows
   use fennix_harvest, only : put_harvest
   use fennix_levels, only : total_energy
   use fennix_run_state, only : is_root, simulation_type
   use fennix_same_run, only : on_off, tag
   implicit none
   private
   public :: put_run

contains


!> Everything that the continuation depends on, on rank 0; positions and velocities have been collected.
!> All ranks call this together.
subroutine put_run(self, chk)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(inout) :: chk
   real(dp), allocatable :: heat(:)
   real(dp) :: capped(1)
   integer(i8) :: bytes, n_frames
   integer :: k

   ! A file that is not written now stays what the run that wrote it left
   bytes = self%keep_bytes
   n_frames = self%keep_frames
   if (self%archive%is_open) bytes = self%archive%bytes
   if (self%frames%active) n_frames = self%frames%n_frames
   capped = real(self%motion%n_capped, dp)
   call sum_all(self%domain%comm, capped)
   call gather(self%domain%comm, [self%motion%heat], heat)
   call put_settings(self, chk)
   call put(chk, "time at origin", self%origin_time)
   call put(chk, "counters", [self%step, self%origin_step, self%motion%inner_step, nint(capped(1), i8), self%key, &
      & bytes, n_frames])
   call put(chk, "heat", heat)
   call put(chk, "cell", self%cell%vectors)
   call put_layout(self, chk)
   call put_harvest(self, chk)
   if (is_root(self)) then
      call put(chk, "number", self%whole%number)
      call put(chk, "mass", self%whole%mass)
      call put(chk, "position", self%whole%position)
      call put(chk, "velocity", self%whole%velocity)
   end if
   do k = 1, size(self%ladder%levels)
      call put_level(self, chk, k)
   end do
end subroutine put_run


!> What check_same_run compares
subroutine put_settings(self, chk)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(inout) :: chk

   associate (settings => self%settings)
      call put(chk, "integrator", settings%integrator)
      call put(chk, "precision", settings%precision)
      call put(chk, "time step", settings%dt)
      call put(chk, "substeps", int(settings%n_substeps, i4))
      call put(chk, "skin", settings%skin)
      call put(chk, "threads", int(settings%threads, i4))
      call put(chk, "temperature", settings%temperature)
      call put(chk, "friction", settings%friction)
      call put(chk, "randomseed", settings%seed)
      call put(chk, "ml-force-cap", settings%force_cap)
      call put(chk, "ml-qtot", settings%total_charge)
      call put(chk, "remove-inertia", int(settings%remove_inertia, i4))
      call put(chk, "heavy-hydrogen", on_off(settings%heavy_hydrogen))
   end associate
end subroutine put_settings


!> Bricks and owners
subroutine put_layout(self, chk)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(inout) :: chk
   integer(i4), allocatable :: ids(:), ranks(:), owner(:)
   integer :: k

   call gather(self%domain%comm, self%atoms%id, ids)
   call gather(self%domain%comm, [(int(self%domain%comm%rank, i4), k=1, self%atoms%n)], ranks)
   allocate(owner(size(ids)))
   owner(ids + 1) = ranks
   call put(chk, "owner", owner)
   call put(chk, "bricks", int(self%domain%shape, i4))
   call put(chk, "brick box", [reshape(self%domain%grid%vectors, [9]), self%domain%grid%origin])
end subroutine put_layout


!> Last energy and forces of a level, and from where its list was built
subroutine put_level(self, chk, k)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(inout) :: chk
   integer, intent(in) :: k
   real(dp), allocatable :: forces(:, :), reference(:, :)
   real(dp) :: energy

   associate (level => self%ladder%levels(k), comm => self%domain%comm)
      energy = total_energy(level, self%domain)
      call collect_rows(comm, self%atoms%id, level%forces, forces)
      ! A stale list is going to be built anew; its old reference is in the order of old owners
      if (level%pairs%stale) then
         call collect_rows(comm, self%atoms%id, self%atoms%position, reference)
      else
         call collect_rows(comm, self%atoms%id, level%pairs%reference, reference)
      end if
      call put(chk, tag("model", k), level%provider%label)
      call put(chk, tag("exchange", k), merge(1_i4, 0_i4, level%exchanging))
      call put(chk, tag("energy", k), energy)
      call put(chk, tag("virial", k), level%virial)
      call put(chk, tag("force", k), forces)
      call put(chk, tag("list version", k), [level%pairs%version, merge(1_i8, 0_i8, level%pairs%stale)])
      call put(chk, tag("list reference", k), reference)
      call put(chk, tag("list cell", k), level%pairs%reference_cell)
   end associate
end subroutine put_level

end module fennix_save_state
