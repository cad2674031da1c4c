! SPDX-License-Identifier: MIT
!> The bricks of a decomposed system: which rank owns a place, and how far a place is from a brick.
!>
!> Bricks are boxes in fractional coordinates of the lattice, or of the bounding box of an isolated system, whose
!> outermost bricks reach to infinity. Their faces are kept axis by axis, so that they can be moved.
module fennix_grid
   use fennix_kinds, only : dp
   use fennix_cell, only : cell_type, widths
   implicit none
   private
   public :: grid_type, new_grid, choose_shape, rank_of, brick_of, brick_at, owner_of, frame, gap_of, gap_between

   !> Faces along one axis
   type :: axis_type
      !> Fractional, ascending, (0:bricks)
      real(dp), allocatable :: face(:)
   end type axis_type

   type :: grid_type
      !> Bricks along each axis
      integer :: shape(3) = 1
      !> The system repeats along this axis
      logical :: lattice(3) = .false.
      !> Axes as columns, Å, and the inverse, 1/Å
      real(dp) :: vectors(3, 3) = 0.0_dp, inverse(3, 3) = 0.0_dp
      !> Where fractional coordinates are zero, Å
      real(dp) :: origin(3) = 0.0_dp
      !> Distances between opposite faces of the whole, Å
      real(dp) :: width(3) = 0.0_dp
      !> Axes at right angles: distances along them add up by Pythagoras
      logical :: orthogonal = .true.
      type(axis_type) :: axis(3)
   contains
      !> Axes along which ghosts are explicit images, and shifts of pairs are zero
      procedure :: decomposed
   end type grid_type

   !> An isolated system is at least this wide, Å
   real(dp), parameter :: least_width = 1.0_dp

contains


!> Bricks of equal size
subroutine new_grid(self, shape, cell, low, high)
   type(grid_type), intent(out) :: self
   !> Bricks along each axis
   integer, intent(in) :: shape(3)
   type(cell_type), intent(in) :: cell
   !> Corners of the bounding box of the atoms, read for an isolated system, Å
   real(dp), intent(in) :: low(3), high(3)
   integer :: k, i

   self%shape = shape
   self%lattice = cell%periodic
   if (cell%periodic) then
      self%vectors = cell%vectors
      self%inverse = cell%inverse
      self%width = widths(cell)
   else
      self%origin = low
      self%width = max(high - low, least_width)
      do k = 1, 3
         self%vectors(k, k) = self%width(k)
         self%inverse(k, k) = 1.0_dp/self%width(k)
      end do
   end if
   self%orthogonal = count(abs(self%vectors) > 0.0_dp) == 3
   do k = 1, 3
      allocate(self%axis(k)%face(0:shape(k)))
      do i = 0, shape(k)
         self%axis(k)%face(i) = real(i, dp)/shape(k)
      end do
      if (self%lattice(k)) cycle
      self%axis(k)%face(0) = -huge(1.0_dp)
      self%axis(k)%face(shape(k)) = huge(1.0_dp)
   end do
end subroutine new_grid


!> Bricks along each axis for so many ranks: those that need the fewest atoms, ghosts included
pure function choose_shape(n_ranks, width, halo) result(shape)
   integer, intent(in) :: n_ranks
   !> Distances between opposite faces of the whole, and width of the halo, Å
   real(dp), intent(in) :: width(3), halo
   integer :: shape(3)
   integer :: a, b, trial(3)
   real(dp) :: cost, least

   shape = [1, 1, n_ranks]
   least = huge(1.0_dp)
   do a = 1, n_ranks
      if (mod(n_ranks, a) /= 0) cycle
      do b = 1, n_ranks/a
         if (mod(n_ranks/a, b) /= 0) cycle
         trial = [a, b, n_ranks/(a*b)]
         cost = product(width/trial + merge(2.0_dp*halo, 0.0_dp, trial > 1))
         ! Equal but for rounding: the first one stays
         if (cost > least*(1.0_dp - 1.0e-9_dp)) cycle
         least = cost
         shape = trial
      end do
   end do
end function choose_shape


pure function decomposed(self)
   class(grid_type), intent(in) :: self
   logical :: decomposed(3)

   decomposed = self%shape > 1
end function decomposed


!> Rank of a brick, both zero-based
pure function rank_of(self, brick) result(rank)
   type(grid_type), intent(in) :: self
   integer, intent(in) :: brick(3)
   integer :: rank

   rank = brick(1) + self%shape(1)*(brick(2) + self%shape(2)*brick(3))
end function rank_of


!> Brick of a rank, both zero-based
pure function brick_of(self, rank) result(brick)
   type(grid_type), intent(in) :: self
   integer, intent(in) :: rank
   integer :: brick(3)

   brick = [mod(rank, self%shape(1)), mod(rank/self%shape(1), self%shape(2)), rank/(self%shape(1)*self%shape(2))]
end function brick_of


!> Brick in which a position lies
pure function brick_at(self, position) result(brick)
   type(grid_type), intent(in) :: self
   !> Å
   real(dp), intent(in) :: position(3)
   integer :: brick(3)
   real(dp) :: fractional(3)
   integer :: k

   fractional = matmul(self%inverse, position - self%origin)
   where (self%lattice) fractional = fractional - floor(fractional)
   do k = 1, 3
      brick(k) = 0
      do while (brick(k) < self%shape(k) - 1)
         if (fractional(k) < self%axis(k)%face(brick(k) + 1)) exit
         brick(k) = brick(k) + 1
      end do
   end do
end function brick_at


!> Rank that owns a position
pure function owner_of(self, position) result(rank)
   type(grid_type), intent(in) :: self
   !> Å
   real(dp), intent(in) :: position(3)
   integer :: rank

   rank = rank_of(self, brick_at(self, position))
end function owner_of


!> A position as a brick sees it: along decomposed lattice vectors, the image nearest to the brick's middle
pure subroutine frame(self, brick, position, fractional, image)
   type(grid_type), intent(in) :: self
   integer, intent(in) :: brick(3)
   !> Å
   real(dp), intent(in) :: position(3)
   !> Fractional coordinates of that image
   real(dp), intent(out) :: fractional(3)
   !> Lattice vectors that were taken off
   integer, intent(out) :: image(3)
   integer :: k

   fractional = matmul(self%inverse, position - self%origin)
   image = 0
   do k = 1, 3
      if (.not. self%lattice(k) .or. self%shape(k) == 1) cycle
      image(k) = nint(fractional(k) - 0.5_dp*(self%axis(k)%face(brick(k)) + self%axis(k)%face(brick(k) + 1)))
      fractional(k) = fractional(k) - image(k)
   end do
end subroutine frame


!> How far a place lies outside a brick, Å: exact for axes at right angles, otherwise never too large
pure function gap_of(self, brick, fractional) result(gap)
   type(grid_type), intent(in) :: self
   integer, intent(in) :: brick(3)
   real(dp), intent(in) :: fractional(3)
   real(dp) :: gap
   real(dp) :: along(3)
   integer :: k

   along = 0.0_dp
   do k = 1, 3
      if (self%shape(k) == 1) cycle
      along(k) = self%width(k)*max(0.0_dp, self%axis(k)%face(brick(k)) - fractional(k), &
         & fractional(k) - self%axis(k)%face(brick(k) + 1))
   end do
   gap = maxval(along)
   if (self%orthogonal) gap = norm2(along)
end function gap_of


!> Distance along one axis between a brick and the image of another, Å; the same bits whichever of the two asks, so
!> that both always agree on whether they are neighbours
pure function gap_between(self, axis, mine, other, image) result(gap)
   type(grid_type), intent(in) :: self
   !> 1, 2 or 3
   integer, intent(in) :: axis
   !> Bricks along that axis, zero-based
   integer, intent(in) :: mine, other
   !> Lattice vectors added to the other one
   integer, intent(in) :: image
   real(dp) :: gap
   integer :: first, second, shift

   first = min(mine, other)
   second = max(mine, other)
   shift = merge(image, -image, mine < other)
   if (mine == other) shift = abs(image)
   associate (face => self%axis(axis)%face)
      gap = self%width(axis)*max(0.0_dp, face(second) + shift - face(first + 1), face(first) - face(second + 1) - shift)
   end associate
end function gap_between

end module fennix_grid
