! SPDX-License-Identifier: MIT
!> Atoms that left their brick change rank, and everything that belongs to them goes along.
module fennix_migrate
   use fennix_kinds, only : dp, i4
   use fennix_comm, only : comm_type, next_message, post_send, receive, sends_type, sum_all, swap_counts, wait_sends
   use fennix_sort, only : sorting_order
   use fennix_atoms, only : atoms_type
   use fennix_grid, only : grid_type, owner_of
   use fennix_halo, only : tag_atoms
   implicit none
   private
   public :: migrate, migrate_to

   !> id, atomic number, mass, position, velocity
   integer, parameter :: n_fixed = 9

contains


!> Every atom to the rank that owns its place; all ranks call this together
subroutine migrate(comm, grid, atoms, extra, n_moved)
   type(comm_type), intent(in) :: comm
   type(grid_type), intent(in) :: grid
   !> Own atoms, by ascending id on return
   type(atoms_type), intent(inout) :: atoms
   !> Other numbers that belong to the atoms, (rows, n)
   real(dp), allocatable, intent(inout) :: extra(:, :)
   !> Atoms of all ranks that changed rank
   integer, intent(out) :: n_moved
   integer :: owner(atoms%n), iat

   do iat = 1, atoms%n
      owner(iat) = owner_of(grid, atoms%position(:, iat))
   end do
   call migrate_to(comm, owner, atoms, extra, n_moved)
end subroutine migrate


!> Every atom to a given rank
subroutine migrate_to(comm, owner, atoms, extra, n_moved)
   type(comm_type), intent(in) :: comm
   !> Rank of each atom, (n)
   integer, intent(in) :: owner(:)
   type(atoms_type), intent(inout) :: atoms
   real(dp), allocatable, intent(inout) :: extra(:, :)
   integer, intent(out) :: n_moved
   real(dp), allocatable :: leaving(:, :), rows(:, :)
   integer :: going(0:comm%size - 1), coming(0:comm%size - 1), iat, n_kept, n_rows
   real(dp) :: total(1)

   n_moved = 0
   if (comm%size == 1) return
   going = 0
   do iat = 1, size(owner)
      if (owner(iat) /= comm%rank) going(owner(iat)) = going(owner(iat)) + 1
   end do
   total = sum(going)
   call sum_all(comm, total)
   n_moved = nint(total(1))
   if (n_moved == 0) return
   call swap_counts(comm, going, coming)
   n_rows = n_fixed + size(extra, 1)
   n_kept = count(owner == comm%rank)
   allocate(rows(n_rows, n_kept + sum(coming)))
   call pack_atoms(comm, owner, going, atoms, extra, leaving, rows)
   call swap_atoms(comm, going, coming, leaving, rows(:, n_kept + 1:))
   call unpack_atoms(rows, atoms, extra)
end subroutine migrate_to


!> Atoms that leave, rank by rank, and atoms that stay
subroutine pack_atoms(comm, owner, going, atoms, extra, leaving, staying)
   type(comm_type), intent(in) :: comm
   integer, intent(in) :: owner(:), going(0:)
   type(atoms_type), intent(in) :: atoms
   real(dp), intent(in) :: extra(:, :)
   real(dp), allocatable, intent(out) :: leaving(:, :)
   real(dp), intent(inout) :: staying(:, :)
   integer :: next(0:comm%size - 1), rank, iat, n_kept
   real(dp) :: row(size(staying, 1))

   allocate(leaving(size(staying, 1), sum(going)))
   next(0) = 1
   do rank = 1, comm%size - 1
      next(rank) = next(rank - 1) + going(rank - 1)
   end do
   n_kept = 0
   do iat = 1, size(owner)
      row = [real(atoms%id(iat), dp), real(atoms%number(iat), dp), atoms%mass(iat), atoms%position(:, iat), &
         & atoms%velocity(:, iat), extra(:, iat)]
      if (owner(iat) == comm%rank) then
         n_kept = n_kept + 1
         staying(:, n_kept) = row
      else
         leaving(:, next(owner(iat))) = row
         next(owner(iat)) = next(owner(iat)) + 1
      end if
   end do
end subroutine pack_atoms


!> Send those that leave, receive those that come
subroutine swap_atoms(comm, going, coming, leaving, arriving)
   type(comm_type), intent(in) :: comm
   integer, intent(in) :: going(0:), coming(0:)
   real(dp), intent(in), contiguous, target :: leaving(:, :)
   real(dp), intent(inout), contiguous, target :: arriving(:, :)
   type(sends_type) :: sends
   ! Contiguous, or what is sent would be a copy that is gone too soon
   real(dp), pointer, contiguous :: outgoing(:), incoming(:)
   integer :: rank, at, tag, words, n_rows

   n_rows = size(leaving, 1)
   outgoing(1:size(leaving)) => leaving
   incoming(1:size(arriving)) => arriving
   at = 1
   do rank = 0, comm%size - 1
      if (going(rank) == 0) cycle
      call post_send(comm, sends, outgoing(at:), n_rows*going(rank), rank, tag_atoms)
      at = at + n_rows*going(rank)
   end do
   at = 1
   do rank = 0, comm%size - 1
      if (coming(rank) == 0) cycle
      call next_message(comm, rank, tag, words)
      call receive(comm, incoming(at:), n_rows*coming(rank), rank, tag)
      at = at + n_rows*coming(rank)
   end do
   call wait_sends(sends)
end subroutine swap_atoms


!> The atoms of this rank from their rows, by ascending id
subroutine unpack_atoms(rows, atoms, extra)
   real(dp), intent(in) :: rows(:, :)
   type(atoms_type), intent(inout) :: atoms
   real(dp), allocatable, intent(inout) :: extra(:, :)
   integer, allocatable :: order(:)

   order = sorting_order(rows(1, :))
   atoms%n = size(order)
   atoms%id = nint(rows(1, order), i4)
   atoms%number = nint(rows(2, order), i4)
   atoms%mass = rows(3, order)
   atoms%position = rows(4:6, order)
   atoms%velocity = rows(7:9, order)
   extra = rows(n_fixed + 1:, order)
end subroutine unpack_atoms

end module fennix_migrate
