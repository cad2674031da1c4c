! SPDX-License-Identifier: MIT
!> Atoms sorted into a grid of bins, so that neighbours are found in O(N).
module fennix_bins
   use fennix_kinds, only : dp
   use fennix_cell, only : cell_type, widths
   implicit none
   private
   public :: bins_type, new_bins

   type :: bins_type
      !> Number of atoms, and of those in the bins, which come first
      integer :: n = 0, n_binned = 0
      !> Images along this axis count
      logical :: periodic(3) = .false.
      !> Bins along each axis, and how many of them to look at on either side
      integer :: shape(3) = 1, reach(3) = 1
      !> Axes of the grid as columns: lattice vectors, or what the atoms span along an axis without images, Å
      real(dp) :: vectors(3, 3) = 0.0_dp
      !> Axes at right angles: distances along them add up by Pythagoras
      logical :: orthogonal = .true.
      !> Distance between the faces of a bin, Å
      real(dp) :: width(3) = 0.0_dp
      !> Place of each atom on the grid in units of bins, (3, n)
      real(dp), allocatable :: place(:, :)
      !> Bin of each atom, zero-based, (3, n)
      integer, allocatable :: home(:, :)
      !> Lattice vectors taken off each atom to fold it, (3, n)
      integer, allocatable :: fold(:, :)
      !> Folded positions in atom order, Å, (3, n)
      real(dp), allocatable :: folded(:, :)
      !> Atoms of bin k (zero-based) are atom(first(k)+1 : first(k+1)), ascending; sorted holds their folded positions
      integer, allocatable :: first(:), atom(:)
      real(dp), allocatable :: sorted(:, :)
   contains
      procedure :: step_to
      procedure :: index_of
   end type bins_type

   !> More bins than this for each atom are mostly empty: a bigger grid only costs memory
   integer, parameter :: bins_per_atom = 4

contains


!> Fold the atoms and sort the first of them into bins about half as wide as the range
subroutine new_bins(self, cell, images, n_binned, position, range)
   type(bins_type), intent(out) :: self
   type(cell_type), intent(in) :: cell
   !> Images along these lattice vectors count; along the others all that matters is among the atoms
   logical, intent(in) :: images(3)
   !> Atoms to be put into bins
   integer, intent(in) :: n_binned
   !> Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   !> Largest distance looked for, Å
   real(dp), intent(in) :: range
   real(dp) :: width(3), low(3), inverse(3, 3), fractional(3)
   integer :: iat

   self%n = size(position, 2)
   self%n_binned = n_binned
   self%periodic = cell%periodic .and. images
   allocate(self%home(3, self%n), self%fold(3, self%n), self%folded(3, self%n), self%place(3, self%n))
   call set_axes(self, cell, position, range, width, low, inverse)
   call set_shape(self, width, range)
   self%width = width/self%shape
   self%orthogonal = count(abs(self%vectors) > 0.0_dp) == 3
   do iat = 1, self%n
      fractional = matmul(inverse, position(:, iat)) - low
      self%fold(:, iat) = merge(floor(fractional), 0, self%periodic)
      self%folded(:, iat) = position(:, iat) - matmul(self%vectors, real(self%fold(:, iat), dp))
      self%place(:, iat) = (fractional - self%fold(:, iat))*self%shape
      self%home(:, iat) = max(0, min(self%shape - 1, int(self%place(:, iat))))
   end do
   call sort_into_bins(self)
end subroutine new_bins


!> Lattice vectors; where no images count, shortened or stretched to what the atoms span
subroutine set_axes(self, cell, position, range, width, low, inverse)
   type(bins_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   real(dp), intent(in) :: position(:, :), range
   !> Distances between the faces of the grid, Å
   real(dp), intent(out) :: width(3)
   !> Where the grid begins, in units of its axes
   real(dp), intent(out) :: low(3)
   real(dp), intent(out) :: inverse(3, 3)
   real(dp) :: least(3), most(3), extent, fractional(3)
   integer :: k, iat

   self%vectors = cell%vectors
   inverse = cell%inverse
   width = 1.0_dp
   if (cell%periodic) then
      width = widths(cell)
   else
      do k = 1, 3
         self%vectors(k, k) = 1.0_dp
         inverse(k, k) = 1.0_dp
      end do
   end if
   low = 0.0_dp
   if (all(self%periodic)) return
   least = huge(1.0_dp)
   most = -huge(1.0_dp)
   do iat = 1, self%n
      fractional = matmul(inverse, position(:, iat))
      least = min(least, fractional)
      most = max(most, fractional)
   end do
   do k = 1, 3
      if (self%periodic(k)) cycle
      extent = max(0.1_dp*range/width(k), most(k) - least(k))
      self%vectors(:, k) = self%vectors(:, k)*extent
      inverse(k, :) = inverse(k, :)/extent
      width(k) = width(k)*extent
      low(k) = least(k)/extent
   end do
end subroutine set_axes


!> Bins about half the range wide, or as wide as a short range, since many small bins cost more than the pairs that they
!> spare; but never many more than atoms
subroutine set_shape(self, width, range)
   type(bins_type), intent(inout) :: self
   !> Distances between opposite faces of the grid, and the range, Å
   real(dp), intent(in) :: width(3), range
   real(dp), parameter :: short_range = 6.0_dp
   real(dp) :: wanted(3), excess

   wanted = max(1.0_dp, width/(merge(1.0_dp, 0.5_dp, range < short_range)*range))
   excess = product(wanted)/real(max(27, bins_per_atom*self%n_binned), dp)
   if (excess > 1.0_dp) wanted = max(1.0_dp, wanted/excess**(1.0_dp/3.0_dp))
   self%shape = int(min(wanted, 1024.0_dp))
   self%reach = ceiling(range*self%shape/width)
   where (.not. self%periodic) self%reach = min(self%reach, self%shape - 1)
end subroutine set_shape


!> Counting sort; atoms of a bin stay in ascending order
subroutine sort_into_bins(self)
   type(bins_type), intent(inout) :: self
   integer, allocatable :: next(:)
   integer :: iat, index, n_bins

   n_bins = product(self%shape)
   allocate(self%first(0:n_bins), source=0)
   allocate(self%atom(self%n_binned), self%sorted(3, self%n_binned))
   do iat = 1, self%n_binned
      index = self%index_of(self%home(:, iat))
      self%first(index + 1) = self%first(index + 1) + 1
   end do
   do index = 1, n_bins
      self%first(index) = self%first(index) + self%first(index - 1)
   end do
   allocate(next(0:n_bins), source=self%first)
   do iat = 1, self%n_binned
      index = self%index_of(self%home(:, iat))
      next(index) = next(index) + 1
      self%atom(next(index)) = iat
      self%sorted(:, next(index)) = self%folded(:, iat)
   end do
end subroutine sort_into_bins


!> Go to the bins d away from an atom's own along one axis: which bin that is, through which image the atom sees it,
!> and whether anything there can be within range. Axes are set one after another, 1, 2, 3.
pure subroutine step_to(self, axis, iat, d, range, before, bin, image, origin, gap, near)
   class(bins_type), intent(in) :: self
   integer, intent(in) :: axis, iat, d
   !> Å
   real(dp), intent(in) :: range
   !> Position of the atom as seen from the images along the axes before this one, Å
   real(dp), intent(in) :: before(3)
   !> Bin and image; this axis is set
   integer, intent(inout) :: bin(3), image(3)
   !> Position of the atom as seen from the image along each axis, column by column, Å
   real(dp), intent(inout) :: origin(3, 3)
   !> Distance of the atom from the nearer face of the bin along each axis, Å
   real(dp), intent(inout) :: gap(3)
   logical, intent(out) :: near
   integer :: coordinate

   coordinate = self%home(axis, iat) + d
   if (self%periodic(axis)) then
      bin(axis) = modulo(coordinate, self%shape(axis))
      image(axis) = (coordinate - bin(axis))/self%shape(axis)
   else
      near = coordinate >= 0 .and. coordinate < self%shape(axis)
      if (.not. near) return
      bin(axis) = coordinate
      image(axis) = 0
   end if
   origin(:, axis) = before - self%vectors(:, axis)*image(axis)
   gap(axis) = self%width(axis)*max(0.0_dp, coordinate - self%place(axis, iat), self%place(axis, iat) - coordinate - 1)
   if (self%orthogonal) then
      near = sum(gap(:axis)**2) <= range**2
   else
      near = gap(axis) <= range
   end if
end subroutine step_to


!> Running index of a bin, zero-based
pure function index_of(self, bin) result(index)
   class(bins_type), intent(in) :: self
   integer, intent(in) :: bin(3)
   integer :: index

   index = bin(1) + self%shape(1)*(bin(2) + self%shape(2)*bin(3))
end function index_of

end module fennix_bins
