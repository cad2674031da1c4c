! SPDX-License-Identifier: MIT
!> The part of a system that this rank is in charge of, and what all ranks have agreed on.
module fennix_domain
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, to_text
   use fennix_comm, only : broadcast_text, comm_type, max_all, sum_all
   use fennix_signals, only : signal_number
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_grid, only : choose_shape, grid_type, new_grid
   use fennix_migrate, only : migrate
   implicit none
   private
   public :: domain_type, new_domain, divide, lay_bricks, redistribute, agree, settle, fail
   public :: stop_file, stop_clock

   type :: domain_type
      type(comm_type) :: comm
      type(grid_type) :: grid
      !> Atoms of the whole system
      integer :: n_global = 0
      !> Atoms of each atomic number, and the first of them (zero-based id, -1 none), in the whole system, (0:118)
      integer(i8), allocatable :: composition(:)
      integer, allocatable :: first_of(:)
      !> Mass of all atoms of each atomic number, g/mol, (0:118)
      real(dp), allocatable :: mass_of(:)
      !> Bricks that the user wants along each axis, zero = choose; and those there are
      integer :: wanted_shape(3) = 0, shape(3) = 1
      !> What failed on this rank and is not known to the others yet
      type(error_type), allocatable :: pending
      !> It is about the atoms of this rank, whose number is told then
      logical :: pending_is_local = .false.
      !> It failed only because another rank did
      logical :: pending_is_echo = .false.
      !> Why this rank wants to stop, and why all do: a signal's number, stop_file or stop_clock, 0 = go on
      integer :: stop_wish = 0, stop_agreed = 0
      !> Largest difference force on this rank that the others do not know yet, and on all ranks when they last
      !> agreed, kcal/mol/Å; huge when the forces of a rank cannot be trusted
      real(dp) :: difference = 0.0_dp, difference_agreed = 0.0_dp
      !> Times that atoms changed rank, and atoms that did, since the start
      integer(i8) :: n_migrations = 0, n_migrated = 0
   end type domain_type

   !> Reasons to stop besides signals
   integer, parameter :: stop_file = 100, stop_clock = 101

contains


!> A system whose atoms are all on rank 0 still
subroutine new_domain(self, comm, atoms)
   type(domain_type), intent(out) :: self
   type(comm_type), intent(in) :: comm
   type(atoms_type), intent(in) :: atoms
   real(dp) :: counts(0:118), first(0:118), mass(0:118)
   integer :: iat

   self%comm = comm
   counts = 0.0_dp
   mass = 0.0_dp
   first = -huge(1.0_dp)
   do iat = atoms%n, 1, -1
      counts(atoms%number(iat)) = counts(atoms%number(iat)) + 1.0_dp
      mass(atoms%number(iat)) = mass(atoms%number(iat)) + atoms%mass(iat)
      first(atoms%number(iat)) = -real(atoms%id(iat), dp)
   end do
   call sum_all(comm, mass)
   call sum_all(comm, counts)
   call max_all(comm, first)
   allocate(self%composition(0:118), self%first_of(0:118))
   allocate(self%mass_of(0:118), source=mass)
   self%composition = nint(counts, i8)
   where (counts > 0.0_dp)
      self%first_of = nint(-first)
   else where
      self%first_of = -1
   end where
   self%n_global = int(sum(self%composition))
end subroutine new_domain


!> Choose the shape of the bricks and lay them out
subroutine divide(self, cell, atoms, halo)
   type(domain_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in) :: atoms
   !> Width of the widest halo, which decides the shape, Å
   real(dp), intent(in) :: halo

   call lay_bricks(self, cell, atoms, [1, 1, 1])
   self%shape = self%wanted_shape
   if (any(self%shape == 0)) self%shape = choose_shape(self%comm%size, self%grid%width, halo)
   call lay_bricks(self, cell, atoms, self%shape)
end subroutine divide


!> Bricks of equal size; the box of an isolated system fits the atoms
subroutine lay_bricks(self, cell, atoms, shape)
   type(domain_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in) :: atoms
   !> Along each axis
   integer, intent(in) :: shape(3)
   real(dp) :: corners(6)

   corners = -huge(1.0_dp)
   if (atoms%n > 0) corners = [maxval(atoms%position, dim=2), -minval(atoms%position, dim=2)]
   if (.not. cell%periodic) call max_all(self%comm, corners)
   call new_grid(self%grid, shape, cell, -corners(4:6), corners(1:3))
end subroutine lay_bricks


!> Atoms to the ranks that own their places
subroutine redistribute(self, cell, atoms, extra, n_moved)
   type(domain_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(inout) :: atoms
   !> Other numbers of the atoms, which go along, (rows, n)
   real(dp), allocatable, intent(inout) :: extra(:, :)
   !> Atoms of all ranks that changed rank
   integer, intent(out) :: n_moved

   n_moved = 0
   if (self%comm%size == 1) return
   ! The bounding box of an isolated system follows its atoms
   if (.not. cell%periodic) call lay_bricks(self, cell, atoms, self%shape)
   call migrate(self%comm, self%grid, atoms, extra, n_moved)
   if (n_moved == 0) return
   self%n_migrations = self%n_migrations + 1
   self%n_migrated = self%n_migrated + n_moved
end subroutine redistribute


!> Keep an error of this rank until the ranks next agree; the first one stays
subroutine fail(self, error, is_echo)
   type(domain_type), intent(inout) :: self
   !> Moved in
   type(error_type), allocatable, intent(inout) :: error
   !> Another rank's failure brought it about
   logical, intent(in) :: is_echo

   if (.not. allocated(error)) return
   if (.not. allocated(self%pending)) then
      self%pending_is_echo = is_echo
      self%pending_is_local = .true.
      call move_alloc(error, self%pending)
   else
      deallocate(error)
   end if
end subroutine fail


!> The one reduction before an evaluation: has a rank failed, how far has an atom moved, does anybody want to stop,
!> how far were the models apart?
subroutine agree(self, largest, error)
   type(domain_type), intent(inout) :: self
   !> In: of this rank; out: of all ranks
   real(dp), intent(inout) :: largest
   !> The error of the rank that failed first, on all ranks
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: values(4)
   character(len=:), allocatable :: text
   integer :: failed

   values = [0.0_dp, largest, real(max(self%stop_wish, signal_number()), dp), self%difference]
   if (allocated(self%pending)) then
      values(1) = self%comm%size - self%comm%rank
      if (.not. self%pending_is_echo) values(1) = values(1) + self%comm%size
   end if
   call max_all(self%comm, values)
   largest = values(2)
   self%stop_agreed = nint(values(3))
   self%difference_agreed = values(4)
   if (.not. values(1) > 0.0_dp) return
   failed = self%comm%size - (modulo(nint(values(1)) - 1, self%comm%size) + 1)
   if (failed == self%comm%rank) then
      text = self%pending%message
      if (self%pending_is_local .or. failed > 0) text = text // who(self%comm)
   end if
   call broadcast_text(self%comm, text, failed)
   allocate(error)
   error%message = text
   if (allocated(self%pending)) deallocate(self%pending)
   self%pending_is_echo = .false.
end subroutine agree


!> " (rank 2 of 4)"
pure function who(comm)
   type(comm_type), intent(in) :: comm
   character(len=:), allocatable :: who

   who = ""
   if (comm%size > 1) who = " (rank " // to_text(comm%rank) // " of " // to_text(comm%size) // ")"
end function who


!> Let all ranks know whether this one has failed: after this they all have an error or none has
subroutine settle(self, error)
   type(domain_type), intent(inout) :: self
   !> In: of this rank, out: on all ranks
   type(error_type), allocatable, intent(inout) :: error
   type(error_type), allocatable :: agreed
   real(dp) :: nothing

   if (self%comm%size == 1 .and. .not. allocated(self%pending)) return
   ! What fails on rank 0 here are files and what they say, not this part of the system
   if (allocated(error) .and. .not. allocated(self%pending)) then
      call fail(self, error, .false.)
      self%pending_is_local = .false.
   end if
   nothing = 0.0_dp
   call agree(self, nothing, agreed)
   if (allocated(agreed)) call move_alloc(agreed, error)
end subroutine settle

end module fennix_domain
