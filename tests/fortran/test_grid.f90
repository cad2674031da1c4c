! SPDX-License-Identifier: MIT
!> Bricks: every place has one owner, and how far places and bricks lie apart.
module test_grid
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, to_text
   use fennix_cell, only : cell_type, widths
   use fennix_grid, only : brick_at, brick_of, frame, gap_between, gap_of, grid_type, new_grid, owner_of, rank_of
   use brick_samples, only : cell_name, n_cells, sample_cell, sample_positions, sample_shapes, shape_text
   use test_runner, only : check
   implicit none
   private
   public :: test_grid_ranks, test_grid_owner, test_grid_faces, test_grid_far, &
      & test_grid_outermost, test_grid_frame, test_grid_gap, test_grid_gap_between, test_grid_point

contains


!> Bricks and ranks count each other
subroutine test_grid_ranks(error)
   type(error_type), allocatable, intent(out) :: error
   type(grid_type) :: grid
   type(cell_type) :: cell
   integer, parameter :: shape(3) = [3, 4, 2]
   logical :: seen(0:23)
   integer :: i, j, k, rank

   call sample_cell(1, cell, error)
   if (allocated(error)) return
   call new_grid(grid, shape, cell, [0.0_dp, 0.0_dp, 0.0_dp], [1.0_dp, 1.0_dp, 1.0_dp])
   seen = .false.
   do k = 0, 1
      do j = 0, 3
         do i = 0, 2
            rank = rank_of(grid, [i, j, k])
            call check(error, rank >= 0 .and. rank < 24, "a brick of rank " // to_text(rank))
            if (allocated(error)) return
            call check(error, .not. seen(rank), "two bricks of rank " // to_text(rank))
            call check(error, all(brick_of(grid, rank) == [i, j, k]), "the brick of rank " // to_text(rank))
            seen(rank) = .true.
         end do
      end do
   end do
   call check(error, all(grid%decomposed()), "three axes are decomposed")
   call new_grid(grid, [1, 2, 1], cell, [0.0_dp, 0.0_dp, 0.0_dp], [1.0_dp, 1.0_dp, 1.0_dp])
   call check(error, all(grid%decomposed() .eqv. [.false., .true., .false.]), "one axis is decomposed")
end subroutine test_grid_ranks


!> Random places, in the cell and in others, belong to the one rank whose brick they lie in
subroutine test_grid_owner(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_grids(check_random, error)
end subroutine test_grid_owner


!> Places on faces, edges and corners belong to one of the ranks whose bricks they touch
subroutine test_grid_faces(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_grids(check_faces, error)
end subroutine test_grid_faces


!> Places a thousand cells away, or far from an isolated system
subroutine test_grid_far(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_grids(check_far, error)
end subroutine test_grid_far


!> A check in every cell with every shape
subroutine for_all_grids(check_one, error)
   interface
      subroutine check_one(grid, cell, error)
         import :: cell_type, error_type, grid_type
         implicit none
         type(grid_type), intent(in) :: grid
         type(cell_type), intent(in) :: cell
         type(error_type), allocatable, intent(inout) :: error
      end subroutine check_one
   end interface
   type(error_type), allocatable, intent(out) :: error
   type(grid_type) :: grid
   type(cell_type) :: cell
   integer, allocatable :: shapes(:, :)
   integer :: kind, k

   shapes = reshape([[1, 1, 1], sample_shapes()], [3, size(sample_shapes(), 2) + 1])
   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      do k = 1, size(shapes, 2)
         if (allocated(error)) return
         call new_grid(grid, shapes(:, k), cell, [-5.0_dp, 3.0_dp, 40.0_dp], [8.0_dp, 15.0_dp, 53.0_dp])
         call check_one(grid, cell, error)
         if (allocated(error)) error%message = trim(cell_name(kind)) // ", " // shape_text(shapes(:, k)) // ": " // &
            & error%message
      end do
   end do
end subroutine for_all_grids


subroutine check_random(grid, cell, error)
   type(grid_type), intent(in) :: grid
   type(cell_type), intent(in) :: cell
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: position(3, 200)
   integer :: k

   position = sample_positions(cell, size(position, 2))
   do k = 1, size(position, 2)
      if (.not. allocated(error)) call check_owner(grid, position(:, k), 0.0_dp, error)
   end do
end subroutine check_random


!> Also a hair on either side of a face
subroutine check_faces(grid, cell, error)
   type(grid_type), intent(in) :: grid
   type(cell_type), intent(in) :: cell
   type(error_type), allocatable, intent(inout) :: error
   real(dp), parameter :: hair(5) = [0.0_dp, 1.0e-16_dp, -1.0e-16_dp, 1.0e-13_dp, -1.0e-13_dp]
   real(dp) :: fractional(3), random(3)
   integer :: k, trial

   do trial = 1, 300
      call random_number(random)
      do k = 1, 3
         fractional(k) = real(int(4*grid%shape(k)*random(k)) - 2*grid%shape(k), dp)/grid%shape(k) &
            & + hair(1 + mod(trial + k, 5))
         if (mod(trial/8, 2**k) == 0) fractional(k) = random(k)
      end do
      if (allocated(error)) return
      call check_owner(grid, matmul(grid%vectors, fractional) + grid%origin, 1.0e-9_dp, error)
   end do
   ! What rounds to one cell and not less
   if (.not. allocated(error)) call check_owner(grid, grid%origin - 1.0e-18_dp, 1.0e-9_dp, error)
   if (.not. allocated(error)) call check_owner(grid, grid%origin - tiny(1.0_dp), 1.0e-9_dp, error)
end subroutine check_faces


subroutine check_far(grid, cell, error)
   type(grid_type), intent(in) :: grid
   type(cell_type), intent(in) :: cell
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: position(3, 100), random(3), moved(3)
   integer :: k

   position = sample_positions(cell, size(position, 2))
   do k = 1, size(position, 2)
      call random_number(random)
      moved = position(:, k) + matmul(cell%vectors, real(nint(2000.0_dp*random - 1000.0_dp), dp))
      if (.not. cell%periodic) moved = 1.0e6_dp*(random - 0.5_dp)
      if (.not. allocated(error)) call check_owner(grid, moved, 0.0_dp, error)
      if (cell%periodic) call check(error, owner_of(grid, moved) == owner_of(grid, position(:, k)), &
         & "an image has another owner")
   end do
end subroutine check_far


!> The owner is the one rank in whose brick, in its own frame, the place lies; on faces it is one of several
subroutine check_owner(grid, position, tolerance, error)
   type(grid_type), intent(in) :: grid
   !> Å
   real(dp), intent(in) :: position(3), tolerance
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: fractional(3)
   integer :: owner, rank, image(3), n_inside
   logical :: owner_inside

   owner = owner_of(grid, position)
   call check(error, owner >= 0 .and. owner < product(grid%shape), "the owner is rank " // to_text(owner))
   call check(error, all(brick_at(grid, position) == brick_of(grid, owner)), "brick and owner differ")
   n_inside = 0
   owner_inside = .false.
   do rank = 0, product(grid%shape) - 1
      call frame(grid, brick_of(grid, rank), position, fractional, image)
      if (gap_of(grid, brick_of(grid, rank), fractional) > tolerance) cycle
      n_inside = n_inside + 1
      if (rank == owner) owner_inside = .true.
   end do
   call check(error, owner_inside, "a place outside the brick of its owner")
   call check(error, n_inside == 1 .or. tolerance > 0.0_dp, "a place inside " // to_text(n_inside) // " bricks")
end subroutine check_owner


!> The outermost bricks of an isolated system reach to infinity
subroutine test_grid_outermost(error)
   type(error_type), allocatable, intent(out) :: error
   type(grid_type) :: grid
   type(cell_type) :: cell
   integer, parameter :: shape(3) = [3, 1, 4]
   real(dp) :: place(3), fractional(3)
   integer :: corner, k, image(3), brick(3), rank

   call sample_cell(n_cells, cell, error)
   call new_grid(grid, shape, cell, [-5.0_dp, 3.0_dp, 40.0_dp], [8.0_dp, 15.0_dp, 53.0_dp])
   do corner = 0, 7
      do k = 1, 3
         place(k) = merge(1.0e7_dp, -1.0e7_dp, btest(corner, k - 1))
         brick(k) = merge(shape(k) - 1, 0, btest(corner, k - 1))
      end do
      call check(error, owner_of(grid, place) == rank_of(grid, brick), "a far corner has owner " // &
         & to_text(owner_of(grid, place)))
      do rank = 0, product(shape) - 1
         call frame(grid, brick_of(grid, rank), place, fractional, image)
         call check(error, (gap_of(grid, brick_of(grid, rank), fractional) > 0.0_dp) .neqv. &
            & rank == rank_of(grid, brick), "the gap of a far corner from rank " // to_text(rank))
      end do
   end do
   ! An inner brick ends where the next one begins
   place = [grid%origin(1) + 0.5_dp*13.0_dp, 0.0_dp, grid%origin(3) + 0.3_dp*13.0_dp]
   call check(error, owner_of(grid, place) == rank_of(grid, [1, 0, 1]), "an inner brick")
end subroutine test_grid_outermost


!> The frame of a brick: the image nearest to its middle along decomposed lattice vectors, the place itself elsewhere
subroutine test_grid_frame(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_grids(check_frame, error)
end subroutine test_grid_frame


subroutine check_frame(grid, cell, error)
   type(grid_type), intent(in) :: grid
   type(cell_type), intent(in) :: cell
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: position(3, 20), fractional(3), middle
   integer :: i, k, rank, brick(3), image(3)

   position = sample_positions(cell, size(position, 2))
   do i = 1, size(position, 2)
      do rank = 0, product(grid%shape) - 1
         brick = brick_of(grid, rank)
         call frame(grid, brick, position(:, i), fractional, image)
         call check(error, all(abs(matmul(grid%vectors, fractional + image) + grid%origin - position(:, i)) < &
            & 1.0e-10_dp), "place and image do not add up")
         do k = 1, 3
            if (.not. cell%periodic .or. grid%shape(k) == 1) then
               call check(error, image(k) == 0, "an image along an axis that has none")
            else
               middle = (brick(k) + 0.5_dp)/grid%shape(k)
               call check(error, abs(fractional(k) - middle) < 0.5_dp + 1.0e-12_dp, "not the nearest image")
            end if
         end do
      end do
   end do
end subroutine check_frame


!> Distances from bricks: exact at right angles, never too large otherwise, zero inside only
subroutine test_grid_gap(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_grids(check_gap, error)
end subroutine test_grid_gap


subroutine check_gap(grid, cell, error)
   type(grid_type), intent(in) :: grid
   type(cell_type), intent(in) :: cell
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: place(3), inside(3), low(3), high(3), gap, distance
   integer :: trial, rank, brick(3)

   do rank = 0, product(grid%shape) - 1
      brick = brick_of(grid, rank)
      low = real(brick, dp)/grid%shape
      high = real(brick + 1, dp)/grid%shape
      where (grid%shape == 1 .or. (.not. cell%periodic .and. brick == 0)) low = -1.0e3_dp
      where (grid%shape == 1 .or. (.not. cell%periodic .and. brick == grid%shape - 1)) high = 1.0e3_dp
      do trial = 1, 40
         call random_number(place)
         place = 3.0_dp*place - 1.0_dp
         gap = gap_of(grid, brick, place)
         call check(error, gap > 0.0_dp .neqv. all(place > low .and. place < high), "a gap of " // to_text(gap))
         ! The nearest place inside in fractional coordinates, and others
         inside = max(low, min(high, place))
         if (.not. grid%orthogonal .and. mod(trial, 4) > 0) then
            call random_number(inside)
            inside = max(low, -2.0_dp) + inside*(min(high, 3.0_dp) - max(low, -2.0_dp))
         end if
         distance = norm2(matmul(grid%vectors, inside - place))
         call check(error, gap < distance + 1.0e-10_dp, "a gap is too large: " // to_text(gap))
         if (grid%orthogonal) call check(error, gap > distance - 1.0e-10_dp, "a gap is too small: " // to_text(gap))
      end do
   end do
end subroutine check_gap


!> Distance between faces of two bricks, zero when they touch or overlap
subroutine test_grid_gap_between(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_grids(check_gap_between, error)
end subroutine test_grid_gap_between


subroutine check_gap_between(grid, cell, error)
   type(grid_type), intent(in) :: grid
   type(cell_type), intent(in) :: cell
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: width(3), expected
   integer :: axis, mine, other, image, apart

   width = [13.0_dp, 12.0_dp, 13.0_dp]
   if (cell%periodic) width = widths(cell)
   do axis = 1, 3
      do mine = 0, grid%shape(axis) - 1
         do other = 0, grid%shape(axis) - 1
            do image = merge(-3, 0, cell%periodic), merge(3, 0, cell%periodic)
               ! Whole bricks in between
               apart = max(0, abs(other + image*grid%shape(axis) - mine) - 1)
               expected = width(axis)*apart/grid%shape(axis)
               call check(error, abs(gap_between(grid, axis, mine, other, image) - expected) < 1.0e-10_dp, &
                  & "between " // to_text(mine) // " and " // to_text(other) // " through " // to_text(image))
            end do
         end do
      end do
   end do
end subroutine check_gap_between


!> A single atom, or atoms in a plane, still have bricks
subroutine test_grid_point(error)
   type(error_type), allocatable, intent(out) :: error
   type(grid_type) :: grid
   type(cell_type) :: cell
   real(dp), parameter :: place(3) = [3.0_dp, -7.0_dp, 11.0_dp]

   call sample_cell(n_cells, cell, error)
   call new_grid(grid, [2, 2, 3], cell, place, place)
   call check(error, all(grid%width > 0.0_dp), "a box without width")
   call check_owner(grid, place, 1.0e-12_dp, error)
   call check_owner(grid, place + [0.4_dp, -20.0_dp, 0.5_dp], 0.0_dp, error)
   call new_grid(grid, [2, 2, 3], cell, place, place + [20.0_dp, 0.0_dp, 30.0_dp])
   call check_owner(grid, place + [19.0_dp, 0.1_dp, 29.0_dp], 0.0_dp, error)
   call check(error, owner_of(grid, place + [19.0_dp, -0.1_dp, 29.0_dp]) == rank_of(grid, [1, 0, 2]), &
      & "atoms in a plane")
end subroutine test_grid_point

end module test_grid
