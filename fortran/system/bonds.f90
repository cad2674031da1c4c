! SPDX-License-Identifier: MIT
!> Bonds: compressed lists from pairs, and bonds guessed from distances where a file has none.
module fennix_bonds
   use fennix_kinds, only : dp
   use fennix_cell, only : cell_type, to_fractional, widths
   use fennix_atoms, only : atoms_type
   use fennix_elements, only : covalent_radius
   implicit none
   private
   public :: set_bonds, guess_bonds, has_bonds

   !> Atoms closer than this times the sum of their covalent radii are bonded
   real(dp), parameter :: reach = 1.25_dp
   integer, parameter :: hydrogen = 1
   !> Most bins along a direction (an isolated system may be spread out)
   integer, parameter :: max_bins = 100

   !> Atoms sorted into bins; the atoms of a bin are head, next(head), ... in falling order, then 0
   type :: bins_type
      !> Periodic: the last bin is next to the first
      logical :: wrapped = .false.
      !> Bins along each direction
      integer :: grid(3) = 1
      !> Bin of each atom, (3, n)
      integer, allocatable :: of(:, :)
      integer, allocatable :: head(:, :, :)
      integer, allocatable :: next(:)
   end type bins_type

contains


!> True when the atoms carry at least one bond
pure function has_bonds(atoms)
   type(atoms_type), intent(in) :: atoms
   logical :: has_bonds

   has_bonds = .false.
   if (allocated(atoms%bond)) has_bonds = size(atoms%bond) > 0
end function has_bonds


!> Store bonds given once each; partners of an atom end in rising order
subroutine set_bonds(atoms, pairs)
   type(atoms_type), intent(inout) :: atoms
   !> One-based atoms of each bond, (2, n_bonds)
   integer, intent(in) :: pairs(:, :)
   integer :: b, i, j, side
   integer, allocatable :: next(:)

   allocate(next(atoms%n + 1), source=0)
   do b = 1, size(pairs, 2)
      next(pairs(:, b)) = next(pairs(:, b)) + 1
   end do
   if (allocated(atoms%bond_first)) deallocate(atoms%bond_first)
   if (allocated(atoms%bond)) deallocate(atoms%bond)
   allocate(atoms%bond_first(atoms%n + 1), source=1)
   allocate(atoms%bond(2*size(pairs, 2)), source=0)
   do i = 1, atoms%n
      atoms%bond_first(i + 1) = atoms%bond_first(i) + next(i)
   end do
   next(:) = atoms%bond_first
   do b = 1, size(pairs, 2)
      do side = 1, 2
         i = pairs(side, b)
         atoms%bond(next(i)) = pairs(3 - side, b)
         next(i) = next(i) + 1
      end do
   end do
   do i = 1, atoms%n
      j = atoms%bond_first(i + 1) - 1
      call sort(atoms%bond(atoms%bond_first(i):j))
   end do
end subroutine set_bonds


!> Bonds from covalent radii and nearest images; a hydrogen is bonded to its nearest partner only
subroutine guess_bonds(atoms, cell)
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   type(bins_type) :: bins
   integer, allocatable :: pairs(:, :), around(:, :), partner(:)
   real(dp), allocatable :: shortest(:)
   integer :: i, j, k, n_pairs
   real(dp) :: d

   call fill_bins(bins, atoms, cell)
   allocate(partner(atoms%n), source=0)
   allocate(shortest(atoms%n), source=huge(1.0_dp))
   allocate(pairs(2, 4*atoms%n))
   n_pairs = 0
   do i = 1, atoms%n
      around = bins_around(bins, bins%of(:, i))
      do k = 1, size(around, 2)
         j = bins%head(around(1, k), around(2, k), around(3, k))
         do while (j > i)
            d = distance(cell, atoms%position(:, i), atoms%position(:, j))
            if (d < bond_limit(atoms, i, j)) then
               call add_pair(pairs, n_pairs, i, j)
               if (d < shortest(i)) partner(i) = j
               if (d < shortest(j)) partner(j) = i
               shortest([i, j]) = min(shortest([i, j]), d)
            end if
            j = bins%next(j)
         end do
      end do
   end do
   call set_bonds(atoms, kept_pairs(pairs(:, 1:n_pairs), atoms, partner))
end subroutine guess_bonds


!> Pairs in which every hydrogen has its nearest partner
pure function kept_pairs(pairs, atoms, partner) result(kept)
   integer, intent(in) :: pairs(:, :)
   type(atoms_type), intent(in) :: atoms
   !> Nearest partner of each atom, (n)
   integer, intent(in) :: partner(:)
   integer, allocatable :: kept(:, :)
   integer :: b, i, side
   logical :: keep(size(pairs, 2))

   keep = .true.
   do b = 1, size(pairs, 2)
      do side = 1, 2
         i = pairs(side, b)
         if (atoms%number(i) == hydrogen) keep(b) = keep(b) .and. partner(i) == pairs(3 - side, b)
      end do
   end do
   kept = pairs(:, pack([(b, b=1, size(pairs, 2))], keep))
end function kept_pairs


!> Sort the atoms into bins at least one longest bond wide
subroutine fill_bins(self, atoms, cell)
   type(bins_type), intent(out) :: self
   type(atoms_type), intent(in) :: atoms
   type(cell_type), intent(in) :: cell
   real(dp) :: longest, low(3), extent(3), place(3)
   integer :: i, b(3)

   longest = 2.0_dp*reach*maxval(covalent_radius(int(atoms%number)))
   low = minval(atoms%position, dim=2)
   extent = maxval(atoms%position, dim=2) - low
   if (cell%periodic) extent = widths(cell)
   self%wrapped = cell%periodic
   self%grid = max(1, int(min(extent/longest, real(max_bins, dp))))
   allocate(self%head(self%grid(1), self%grid(2), self%grid(3)), source=0)
   allocate(self%of(3, atoms%n), self%next(atoms%n))
   do i = 1, atoms%n
      if (cell%periodic) then
         place = to_fractional(cell, atoms%position(:, i))
         place = place - floor(place)
      else
         place = (atoms%position(:, i) - low)/max(extent, longest)
      end if
      b = min(self%grid, int(place*self%grid) + 1)
      self%of(:, i) = b
      self%next(i) = self%head(b(1), b(2), b(3))
      self%head(b(1), b(2), b(3)) = i
   end do
end subroutine fill_bins


!> The bin itself and those next to it, each once, (3, n)
pure function bins_around(self, bin) result(around)
   type(bins_type), intent(in) :: self
   integer, intent(in) :: bin(3)
   integer, allocatable :: around(:, :)
   integer :: dx, dy, dz, n, b(3), all_bins(3, 27)

   n = 0
   do dz = -1, 1
      do dy = -1, 1
         do dx = -1, 1
            b = bin + [dx, dy, dz]
            if (self%wrapped) then
               ! With fewer than three bins the next one is also the last one, or the bin itself
               if (any([dx, dy, dz] > self%grid - 2)) cycle
               b = modulo(b - 1, self%grid) + 1
            end if
            if (any(b < 1 .or. b > self%grid)) cycle
            n = n + 1
            all_bins(:, n) = b
         end do
      end do
   end do
   around = all_bins(:, 1:n)
end function bins_around


!> Add a pair, with more room when needed
subroutine add_pair(pairs, n_pairs, i, j)
   integer, allocatable, intent(inout) :: pairs(:, :)
   integer, intent(inout) :: n_pairs
   integer, intent(in) :: i, j
   integer, allocatable :: larger(:, :)

   if (n_pairs == size(pairs, 2)) then
      allocate(larger(2, 2*n_pairs + 8), source=0)
      larger(:, 1:n_pairs) = pairs
      call move_alloc(larger, pairs)
   end if
   n_pairs = n_pairs + 1
   pairs(:, n_pairs) = [i, j]
end subroutine add_pair


!> Largest distance of a bond between two atoms, Å
pure function bond_limit(atoms, i, j)
   type(atoms_type), intent(in) :: atoms
   integer, intent(in) :: i, j
   real(dp) :: bond_limit

   bond_limit = reach*(covalent_radius(int(atoms%number(i))) + covalent_radius(int(atoms%number(j))))
end function bond_limit


!> Distance to the image with the nearest fractional coordinates, Å (the nearest image at bond lengths)
pure function distance(cell, a, b)
   type(cell_type), intent(in) :: cell
   real(dp), intent(in) :: a(3), b(3)
   real(dp) :: distance
   real(dp) :: apart(3)

   apart = b - a
   if (cell%periodic) then
      apart = to_fractional(cell, apart)
      apart = matmul(cell%vectors, apart - anint(apart))
   end if
   distance = norm2(apart)
end function distance


!> Sort a few numbers in place
pure subroutine sort(list)
   integer, intent(inout) :: list(:)
   integer :: i, k, value

   do i = 2, size(list)
      value = list(i)
      k = i - 1
      do while (k >= 1)
         if (list(k) <= value) exit
         list(k + 1) = list(k)
         k = k - 1
      end do
      list(k + 1) = value
   end do
end subroutine sort

end module fennix_bonds
