! SPDX-License-Identifier: MIT
!> A run from its exact checkpoint NAME.chk, on the ranks that wrote it or on others.
module fennix_resume
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, to_text
   use fennix_comm, only : broadcast, sum_all
   use fennix_cell, only : cell_type, new_cell_from_vectors, open_cell
   use fennix_checkpoint, only : checkpoint_type, get
   use fennix_checkpoint_file, only : load_checkpoint
   use fennix_collect, only : spread_rows
   use fennix_domain, only : lay_bricks, settle
   use fennix_harvest, only : get_harvest
   use fennix_ladder, only : move_house
   use fennix_levels, only : rebuild
   use fennix_log, only : say
   use fennix_migrate, only : migrate_to
   use fennix_observables, only : new_observables
   use fennix_opening, only : degrees_of_freedom
   use fennix_pipe, only : get_packed, new_reader, new_writer, pass, pass_fixed, pipe_type
   use fennix_run_state, only : is_root, simulation_type
   use fennix_same_run, only : check_same_run, tag
   implicit none
   private
   public :: load_run

   !> Numbers of a checkpoint that every rank needs
   type :: head_type
      integer(i8) :: counters(7) = 0
      real(dp) :: origin_time = 0.0_dp
      integer(i8) :: seed = 0
      real(dp) :: cell(9) = 0.0_dp
      !> Heat of each rank, kcal/mol
      real(dp), allocatable :: heat(:)
      !> Bricks along each axis, and the box of an isolated system: axes, origin, Å
      integer :: shape(3) = 1
      !> Every level has the kind of halo that it had
      logical :: same_halo = .true.
      real(dp) :: box(12) = 0.0_dp
   end type head_type

contains


!> Take up a run where its checkpoint left it: bitwise on the same bricks, else to rounding.
!> All ranks call this together, after the atoms of the structure were spread.
subroutine load_run(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: chk
   type(head_type) :: head
   logical :: same_bricks
   integer :: k

   if (is_root(self)) then
      call load_checkpoint(chk, self%settings%name // ".chk", error)
      if (.not. allocated(error)) call check_same_run(self, chk, error)
      if (.not. allocated(error)) call get_head(self, chk, head, error)
      if (.not. allocated(error)) call get_harvest(self, chk, error)
   end if
   call settle(self%domain, error)
   if (allocated(error)) return
   call share_head(self, head)
   self%step = head%counters(1)
   self%origin_step = head%counters(2)
   self%motion%inner_step = head%counters(3)
   self%key = head%counters(5)
   self%keep_bytes = head%counters(6)
   self%keep_frames = head%counters(7)
   self%origin_time = head%origin_time
   self%settings%seed = head%seed
   call take_cell(self, head, error)
   if (allocated(error)) return
   same_bricks = size(head%heat) == self%domain%comm%size .and. all(head%shape == self%domain%shape)
   ! Halos of another kind are built anew, which is the same for forces but not for the last bit
   same_bricks = same_bricks .and. (head%same_halo .or. self%domain%comm%size == 1)
   call take_tallies(self, head, same_bricks)
   call take_atoms(self, chk, head, same_bricks, error)
   do k = 1, size(self%ladder%levels)
      if (allocated(error)) return
      call take_level(self, chk, k, same_bricks, error)
   end do
   if (.not. allocated(error)) call note_bricks(self, head, same_bricks)
end subroutine load_run


!> Numbers from the file
subroutine get_head(self, chk, head, error)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(in) :: chk
   type(head_type), intent(inout) :: head
   type(error_type), allocatable, intent(out) :: error
   integer(i4) :: shape(3), exchanging
   real(dp) :: vectors(3, 3)
   integer :: k

   call get(chk, "counters", head%counters, error)
   if (.not. allocated(error)) call get(chk, "time at origin", head%origin_time, error)
   if (.not. allocated(error)) call get(chk, "randomseed", head%seed, error)
   if (.not. allocated(error)) call get(chk, "cell", vectors, error)
   if (.not. allocated(error)) call get(chk, "bricks", shape, error)
   if (allocated(error)) return
   head%cell = reshape(vectors, [9])
   head%shape = shape
   allocate(head%heat(product(shape)))
   call get(chk, "heat", head%heat, error)
   if (.not. allocated(error)) call get(chk, "brick box", head%box, error)
   do k = 1, size(self%ladder%levels)
      if (allocated(error)) return
      call get(chk, tag("exchange", k), exchanging, error)
      if (.not. allocated(error)) head%same_halo = head%same_halo .and. &
         & (exchanging > 0 .eqv. self%ladder%levels(k)%exchanging)
   end do
end subroutine get_head


!> The same numbers on all ranks
subroutine share_head(self, head)
   type(simulation_type), intent(in) :: self
   type(head_type), intent(inout) :: head
   type(pipe_type) :: pipe
   integer(int8), allocatable :: bytes(:)

   if (self%domain%comm%size == 1) return
   if (is_root(self)) then
      call new_writer(pipe)
      call pass_head(pipe, head)
      call get_packed(pipe, bytes)
   end if
   call broadcast(self%domain%comm, bytes)
   if (is_root(self)) return
   call new_reader(pipe, bytes)
   call pass_head(pipe, head)
end subroutine share_head


subroutine pass_head(pipe, head)
   type(pipe_type), intent(inout) :: pipe
   type(head_type), intent(inout) :: head
   integer :: k

   do k = 1, size(head%counters)
      call pass(pipe, head%counters(k))
   end do
   call pass(pipe, head%origin_time)
   call pass(pipe, head%seed)
   call pass_fixed(pipe, head%cell)
   call pass(pipe, head%heat)
   call pass_fixed(pipe, head%shape)
   call pass(pipe, head%same_halo)
   call pass_fixed(pipe, head%box)
end subroutine pass_head


!> The cell; the run may have taken its box from a NAME.dyn
subroutine take_cell(self, head, error)
   type(simulation_type), intent(inout) :: self
   type(head_type), intent(in) :: head
   type(error_type), allocatable, intent(out) :: error
   logical :: was_periodic

   was_periodic = self%cell%periodic
   self%cell = open_cell()
   if (any(abs(head%cell) > 0.0_dp)) call new_cell_from_vectors(self%cell, reshape(head%cell, [3, 3]), error)
   if (allocated(error) .or. (self%cell%periodic .eqv. was_periodic)) return
   call new_observables(self%obs, self%domain%composition, self%domain%mass_of, self%cell%periodic, &
      & degrees_of_freedom(self%settings, self%domain%n_global), self%settings%langevin)
   self%obs%has_pressure = self%cell%periodic .and. self%ladder%levels(1)%provider%has_virial
end subroutine take_cell


!> What each rank has counted; on other bricks, rank 0 counts for all
subroutine take_tallies(self, head, same_bricks)
   type(simulation_type), intent(inout) :: self
   type(head_type), intent(in) :: head
   logical, intent(in) :: same_bricks

   self%motion%n_capped = 0
   self%motion%heat = 0.0_dp
   if (is_root(self)) self%motion%n_capped = head%counters(4)
   if (same_bricks) then
      self%motion%heat = head%heat(self%domain%comm%rank + 1)
   else if (is_root(self)) then
      self%motion%heat = sum(head%heat)
   end if
end subroutine take_tallies


!> Positions, velocities and masses, to the ranks that owned the atoms, or to those that own their places now
subroutine take_atoms(self, chk, head, same_bricks, error)
   type(simulation_type), intent(inout) :: self
   type(checkpoint_type), intent(in) :: chk
   type(head_type), intent(in) :: head
   logical, intent(in) :: same_bricks
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: facts(:, :), mine(:, :), nothing(:, :)
   integer(i4), allocatable :: owner(:)
   integer :: n_moved

   allocate(facts(3, self%whole%n), source=0.0_dp)
   allocate(owner(self%whole%n), mine(3, self%atoms%n), nothing(0, self%atoms%n))
   if (is_root(self)) then
      call get(chk, "owner", owner, error)
      if (.not. allocated(error)) call get(chk, "mass", self%whole%mass, error)
      if (.not. allocated(error)) facts(1, :) = owner
      if (.not. allocated(error)) facts(2, :) = self%whole%mass
   end if
   call settle(self%domain, error)
   if (allocated(error)) return
   call spread_rows(self%domain%comm, self%atoms%id, facts, mine)
   self%atoms%mass = mine(2, :)
   call spread_record(self, chk, "position", self%atoms%position, error)
   if (.not. allocated(error)) call spread_record(self, chk, "velocity", self%atoms%velocity, error)
   if (allocated(error)) return
   call lay_bricks(self%domain, self%cell, self%atoms, self%domain%shape)
   if (same_bricks) then
      if (.not. self%cell%periodic) call restore_box(self, head)
      call migrate_to(self%domain%comm, nint(mine(1, :)), self%atoms, nothing, n_moved)
   else
      call move_house(self%ladder, self%domain, self%atoms, self%cell, self%timer)
   end if
end subroutine take_atoms


!> The box of an isolated system as the bricks were laid out in it
subroutine restore_box(self, head)
   type(simulation_type), intent(inout) :: self
   type(head_type), intent(in) :: head
   integer :: k

   associate (grid => self%domain%grid)
      grid%vectors = reshape(head%box(1:9), [3, 3])
      grid%origin = head%box(10:12)
      do k = 1, 3
         grid%width(k) = grid%vectors(k, k)
         grid%inverse(k, k) = 1.0_dp/grid%width(k)
      end do
   end associate
end subroutine restore_box


!> A record of rank 0's checkpoint, (3, n_global), to the owners of the atoms
subroutine spread_record(self, chk, name, rows, error)
   type(simulation_type), intent(inout) :: self
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name
   real(dp), intent(inout) :: rows(:, :)
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: whole(:, :)

   allocate(whole(3, self%whole%n))
   if (is_root(self)) call get(chk, name, whole, error)
   call settle(self%domain, error)
   if (.not. allocated(error)) call spread_rows(self%domain%comm, self%atoms%id, whole, rows)
end subroutine spread_record


!> Forces, and the pair list as it stood: built from the positions it was built from
subroutine take_level(self, chk, k, same_bricks, error)
   type(simulation_type), intent(inout) :: self
   type(checkpoint_type), intent(in) :: chk
   integer, intent(in) :: k
   logical, intent(in) :: same_bricks
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: reference(:, :)
   real(dp) :: numbers(19), vectors(3, 3), energy
   integer(i8) :: version(2)

   numbers = 0.0_dp
   if (is_root(self)) then
      call get(chk, tag("energy", k), energy, error)
      if (.not. allocated(error)) call get(chk, tag("virial", k), vectors, error)
      if (.not. allocated(error)) numbers(1:10) = [energy, reshape(vectors, [9])]
      if (.not. allocated(error)) call get(chk, tag("list version", k), version, error)
      if (.not. allocated(error)) call get(chk, tag("list cell", k), vectors, error)
      if (.not. allocated(error)) numbers(11:19) = reshape(vectors, [9])
   end if
   call settle(self%domain, error)
   if (allocated(error)) return
   call sum_all(self%domain%comm, numbers)
   associate (level => self%ladder%levels(k))
      level%energy = numbers(1)
      level%energy_is_total = .true.
      level%virial = reshape(numbers(2:10), [3, 3])
      level%forces = 0.0_dp*self%atoms%position
      call spread_record(self, chk, tag("force", k), level%forces, error)
   end associate
   reference = self%atoms%position
   if (.not. allocated(error)) call spread_record(self, chk, tag("list reference", k), reference, error)
   if (.not. allocated(error) .and. same_bricks) call restore_list(self, k, version, numbers(11:19), reference, error)
end subroutine take_level


!> A list and its ghosts at the positions they were found at
subroutine restore_list(self, k, version, vectors, reference, error)
   type(simulation_type), intent(inout) :: self
   integer, intent(in) :: k
   !> Of rank 0: the list's version, and 1 if it was going to be built anew
   integer(i8), intent(in) :: version(2)
   real(dp), intent(in) :: vectors(9)
   !> Å, (3, n)
   real(dp), intent(in) :: reference(:, :)
   type(error_type), allocatable, intent(out) :: error
   type(cell_type) :: cell
   real(dp), allocatable :: position(:, :)
   real(dp) :: numbers(2)

   numbers = 0.0_dp
   if (is_root(self)) numbers = real(version, dp)
   call sum_all(self%domain%comm, numbers)
   cell = open_cell()
   if (self%cell%periodic) call new_cell_from_vectors(cell, reshape(vectors, [3, 3]), error)
   if (allocated(error)) return
   position = self%atoms%position
   self%atoms%position(:, :) = reference
   associate (level => self%ladder%levels(k))
      call rebuild(level, self%domain, cell, self%atoms, self%timer)
      level%pairs%version = nint(numbers(1), i8)
      level%pairs%stale = numbers(2) > 0.0_dp
   end associate
   self%atoms%position(:, :) = position
end subroutine restore_list


!> Say what a change of the bricks means
subroutine note_bricks(self, head, same_bricks)
   type(simulation_type), intent(inout) :: self
   type(head_type), intent(in) :: head
   logical, intent(in) :: same_bricks

   if (.not. same_bricks) call say(self%log, " Note: the checkpoint was written on " // to_text(size(head%heat)) // &
      & " ranks; on other bricks or with another halo the run continues to rounding, not to the last bit.")
end subroutine note_bricks

end module fennix_resume
