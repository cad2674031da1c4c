! SPDX-License-Identifier: MIT
!> Which bricks lie near a brick, through which images, and which of its atoms they need as ghosts.
module fennix_neighborhood
   use fennix_kinds, only : dp
   use fennix_grid, only : brick_of, frame, gap_between, gap_of, grid_type, rank_of
   implicit none
   private
   public :: near_type, find_near, fold_atoms, select_atoms

   !> A brick seen through an image of the lattice
   type :: near_type
      integer :: rank = 0
      !> Zero-based
      integer :: brick(3) = 0
      !> It stands at its own place plus these lattice vectors
      integer :: image(3) = 0
   end type near_type

contains


!> All bricks closer than reach, the brick itself left out, in the order of ranks, then images
pure subroutine find_near(grid, rank, reach, near)
   type(grid_type), intent(in) :: grid
   integer, intent(in) :: rank
   !> Å
   real(dp), intent(in) :: reach
   type(near_type), allocatable, intent(out) :: near(:)
   type(near_type), allocatable :: found(:)
   integer, allocatable :: place(:, :), image(:, :)
   integer :: mine(3), n(3), i1, i2, i3, k

   mine = brick_of(grid, rank)
   do k = 1, 3
      call near_along(grid, k, mine(k), reach, place, image, n(k))
   end do
   allocate(found(product(n)))
   k = 0
   do i3 = 1, n(3)
      do i2 = 1, n(2)
         do i1 = 1, n(1)
            if (all([image(i1, 1), image(i2, 2), image(i3, 3)] == 0)) then
               if (all([place(i1, 1), place(i2, 2), place(i3, 3)] == mine)) cycle
            end if
            k = k + 1
            found(k)%brick = [place(i1, 1), place(i2, 2), place(i3, 3)]
            found(k)%image = [image(i1, 1), image(i2, 2), image(i3, 3)]
            found(k)%rank = rank_of(grid, found(k)%brick)
         end do
      end do
   end do
   call sort_by_rank(grid, found(:k), near)
end subroutine find_near


!> Bricks along one axis, added as column k of place and image
pure subroutine near_along(grid, k, mine, reach, place, image, n)
   type(grid_type), intent(in) :: grid
   integer, intent(in) :: k, mine
   real(dp), intent(in) :: reach
   integer, allocatable, intent(inout) :: place(:, :), image(:, :)
   !> How many were found
   integer, intent(out) :: n
   integer, allocatable :: longer(:, :)
   integer :: other, cells, m

   cells = 0
   if (grid%lattice(k) .and. grid%shape(k) > 1) cells = ceiling(reach/grid%width(k)) + 1
   if (.not. allocated(place)) allocate(place(0, 3), image(0, 3))
   m = grid%shape(k)*(2*cells + 1)
   if (size(place, 1) < m) then
      allocate(longer(m, 3))
      longer(:size(place, 1), :) = place
      call move_alloc(longer, place)
      allocate(longer(m, 3))
      longer(:size(image, 1), :) = image
      call move_alloc(longer, image)
   end if
   n = 0
   do other = 0, grid%shape(k) - 1
      do m = -cells, cells
         if (gap_between(grid, k, mine, other, m) > reach) cycle
         n = n + 1
         place(n, k) = other
         image(n, k) = m
      end do
   end do
end subroutine near_along


!> Counting sort, stable
pure subroutine sort_by_rank(grid, found, near)
   type(grid_type), intent(in) :: grid
   type(near_type), intent(in) :: found(:)
   type(near_type), allocatable, intent(out) :: near(:)
   integer, allocatable :: next(:)
   integer :: k

   allocate(near(size(found)))
   allocate(next(0:product(grid%shape)), source=1)
   do k = 1, size(found)
      next(found(k)%rank + 1) = next(found(k)%rank + 1) + 1
   end do
   do k = 1, product(grid%shape)
      next(k) = next(k) + next(k - 1) - 1
   end do
   do k = 1, size(found)
      near(next(found(k)%rank)) = found(k)
      next(found(k)%rank) = next(found(k)%rank) + 1
   end do
end subroutine sort_by_rank


!> Atoms of a brick in its frame, and how far outside it the farthest of them is
pure subroutine fold_atoms(grid, brick, position, fractional, image, excursion)
   type(grid_type), intent(in) :: grid
   integer, intent(in) :: brick(3)
   !> Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   !> Fractional coordinates, and lattice vectors that were taken off, (3, n)
   real(dp), intent(out) :: fractional(:, :)
   integer, intent(out) :: image(:, :)
   !> Å
   real(dp), intent(out) :: excursion
   integer :: iat

   excursion = 0.0_dp
   do iat = 1, size(position, 2)
      call frame(grid, brick, position(:, iat), fractional(:, iat), image(:, iat))
      excursion = max(excursion, gap_of(grid, brick, fractional(:, iat)))
   end do
end subroutine fold_atoms


!> Atoms that a brick near by needs
pure subroutine select_atoms(grid, near, fractional, reach, chosen, n)
   type(grid_type), intent(in) :: grid
   type(near_type), intent(in) :: near
   !> In the frame of the brick that owns them, (3, n_atoms)
   real(dp), intent(in) :: fractional(:, :)
   !> Å
   real(dp), intent(in) :: reach
   !> Indices of atoms in ascending order; the first n count, (n_atoms)
   integer, intent(inout) :: chosen(:)
   integer, intent(out) :: n
   integer :: iat

   n = 0
   do iat = 1, size(fractional, 2)
      if (gap_of(grid, near%brick, fractional(:, iat) - near%image) > reach) cycle
      n = n + 1
      chosen(n) = iat
   end do
end subroutine select_atoms

end module fennix_neighborhood
