! SPDX-License-Identifier: MIT
!> Verlet pair lists: every pair closer than cutoff + skin, refreshed by displacement.
!>
!> Directed edges, compressed by receiver and sorted by receiver, neighbour, shift. Every image counts: in a box
!> narrower than the range a pair appears once for each image, and an atom is its own neighbour through its images.
module fennix_pairs
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type
   use fennix_bins, only : bins_type, new_bins
   implicit none
   private
   public :: pairs_type, new_pairs, build_pairs, set_reference, squared_move, expired

   type :: pairs_type
      !> Range asked for (0: the list stays empty), and the margin kept beyond it, Å
      real(dp) :: cutoff = 0.0_dp, skin = 0.0_dp
      !> Changes with every build
      integer(i8) :: version = 0
      !> The atoms have changed their order or rank since
      logical :: stale = .false.
      integer(i8) :: n_edges = 0
      !> Edges of receiver i are first(i)+1 ... first(i+1), zero-based values, (n+1)
      integer(i4), allocatable :: first(:)
      !> Zero-based neighbours, (capacity)
      integer(i4), allocatable :: neighbor(:)
      !> edge vector = position(neighbor) - position(receiver) + matmul(vectors, shift), (3, capacity)
      integer(i4), allocatable :: shift(:, :)
      !> Positions of own atoms (as the run has them, not folded) and cell at the last build, Å
      real(dp), allocatable :: reference(:, :)
      real(dp) :: reference_cell(3, 3) = 0.0_dp
      !> Edges in the order they are found (by neighbour); kept so that a build allocates nothing
      integer(i4), allocatable :: found_receiver(:), found_neighbor(:), found_shift(:, :)
   end type pairs_type

   !> Farther than this from where the list was built means that the integration has failed, Å
   real(dp), parameter :: lost = 1.0e3_dp

contains


!> An empty list, never built
subroutine new_pairs(self, cutoff, skin)
   type(pairs_type), intent(out) :: self
   real(dp), intent(in) :: cutoff, skin

   self%cutoff = cutoff
   self%skin = skin
end subroutine new_pairs


!> How far the atom that moved farthest has moved since the list was built, squared, Å²; huge when the list may miss
!> a pair for another reason
subroutine squared_move(self, cell, position, id, largest, error)
   type(pairs_type), intent(in) :: self
   type(cell_type), intent(in) :: cell
   !> Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   !> Zero-based global ids, (n)
   integer(i4), intent(in) :: id(:)
   real(dp), intent(out) :: largest
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: moved
   integer :: iat

   largest = huge(1.0_dp)
   if (self%version == 0 .or. self%stale) return
   if (any(abs(cell%vectors - self%reference_cell) > 0.0_dp)) return
   largest = 0.0_dp
   do iat = 1, size(position, 2)
      moved = (position(1, iat) - self%reference(1, iat))**2 + (position(2, iat) - self%reference(2, iat))**2 &
         & + (position(3, iat) - self%reference(3, iat))**2
      if (.not. moved < lost**2) then
         call fatal_error(error, "atom " // to_text(int(id(iat)) + 1) // " flew away: it moved by more than " // &
            & to_text(lost) // " Å between two pair lists; the time step is too long or the model has no wall there")
         return
      end if
      largest = max(largest, moved)
   end do
end subroutine squared_move


!> Whether the list may miss a pair after such a move
pure function expired(self, largest)
   type(pairs_type), intent(in) :: self
   !> As of squared_move, the largest of all ranks, Å²
   real(dp), intent(in) :: largest
   logical :: expired

   expired = largest > (0.5_dp*self%skin)**2
end function expired


!> Find all pairs anew
subroutine build_pairs(self, cell, position, images, n_center, order)
   type(pairs_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   !> Of all atoms, ghosts included, Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   !> Lattice vectors along which images count; all unless given
   logical, intent(in), optional :: images(3)
   !> Atoms whose neighbours are listed, the first ones; all unless given
   integer, intent(in), optional :: n_center
   !> In this order neighbours follow each other in a row, (n); as they are unless given
   integer, intent(in), optional :: order(:)
   type(bins_type) :: bins
   logical :: seen(3)
   integer :: n

   seen = .true.
   if (present(images)) seen = images
   n = size(position, 2)
   if (present(n_center)) n = n_center
   self%n_edges = 0
   if (self%cutoff > 0.0_dp) then
      call new_bins(bins, cell, seen, n, position, self%cutoff + self%skin)
      call find_edges(self, bins, self%cutoff + self%skin, order)
   else
      call reserve(self, 1_i8)
   end if
   call sort_by_receiver(self, n)
   self%version = self%version + 1
   self%stale = .false.
end subroutine build_pairs


!> Remember from where atoms are watched until the next build
subroutine set_reference(self, cell, position)
   type(pairs_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   !> Of own atoms, Å, (3, n)
   real(dp), intent(in) :: position(:, :)

   self%reference = position
   self%reference_cell = cell%vectors
end subroutine set_reference


!> Walk over neighbours in their order and collect their receivers, so that a stable sort by receiver leaves each row
!> in that order. Bins are walked downwards, because the shift of an edge is minus that of the bin: images of one pair
!> then come by ascending shift.
subroutine find_edges(self, bins, range, order)
   type(pairs_type), intent(inout) :: self
   type(bins_type), intent(in) :: bins
   real(dp), intent(in) :: range
   integer, intent(in), optional :: order(:)
   integer :: k, jat, d1, d2, d3, bin(3), image(3)
   real(dp) :: origin(3, 3), gap(3)
   logical :: near

   self%n_edges = 0
   call reserve(self, int(max(1024, 64*bins%n_binned), i8))
   if (bins%n_binned == 0) return
   do k = 1, bins%n
      jat = k
      if (present(order)) jat = order(k)
      do d1 = bins%reach(1), -bins%reach(1), -1
         call bins%step_to(1, jat, d1, range, bins%folded(:, jat), bin, image, origin, gap, near)
         if (.not. near) cycle
         do d2 = bins%reach(2), -bins%reach(2), -1
            call bins%step_to(2, jat, d2, range, origin(:, 1), bin, image, origin, gap, near)
            if (.not. near) cycle
            do d3 = bins%reach(3), -bins%reach(3), -1
               call bins%step_to(3, jat, d3, range, origin(:, 2), bin, image, origin, gap, near)
               if (near) call scan_bin(self, bins, jat, bins%index_of(bin), image, origin(:, 3), range**2)
            end do
         end do
      end do
   end do
end subroutine find_edges


!> Atoms of one bin (seen through one image) within range of atom jat
subroutine scan_bin(self, bins, jat, index, image, origin, range2)
   type(pairs_type), intent(inout) :: self
   type(bins_type), intent(in) :: bins
   integer, intent(in) :: jat, index, image(3)
   !> Folded position of jat as seen from that image
   real(dp), intent(in) :: origin(3), range2
   integer :: slot, iat
   real(dp) :: distance2
   integer(i8) :: n

   call reserve(self, self%n_edges + bins%first(index + 1) - bins%first(index))
   n = self%n_edges
   do slot = bins%first(index) + 1, bins%first(index + 1)
      distance2 = (bins%sorted(1, slot) - origin(1))**2 + (bins%sorted(2, slot) - origin(2))**2 &
         & + (bins%sorted(3, slot) - origin(3))**2
      if (distance2 >= range2) cycle
      iat = bins%atom(slot)
      if (iat == jat .and. all(image == 0)) cycle
      n = n + 1
      self%found_receiver(n) = int(iat - 1, i4)
      self%found_neighbor(n) = int(jat - 1, i4)
      self%found_shift(:, n) = int(bins%fold(:, iat) - bins%fold(:, jat) - image, i4)
   end do
   self%n_edges = n
end subroutine scan_bin


!> Stable counting sort of the found edges by receiver
subroutine sort_by_receiver(self, n)
   type(pairs_type), intent(inout) :: self
   integer, intent(in) :: n
   integer(i4), allocatable :: next(:)
   integer(i8) :: iedge
   integer :: iat, slot

   if (allocated(self%first)) then
      if (size(self%first) /= n + 1) deallocate(self%first)
   end if
   if (.not. allocated(self%first)) allocate(self%first(n + 1))
   if (size(self%neighbor, kind=i8) < size(self%found_neighbor, kind=i8)) then
      deallocate(self%neighbor, self%shift)
      allocate(self%neighbor(size(self%found_neighbor)), self%shift(3, size(self%found_neighbor)))
   end if
   allocate(next(n + 1), source=0_i4)
   do iedge = 1, self%n_edges
      slot = self%found_receiver(iedge) + 2
      next(slot) = next(slot) + 1
   end do
   do iat = 1, n
      next(iat + 1) = next(iat + 1) + next(iat)
   end do
   self%first = next
   do iedge = 1, self%n_edges
      slot = self%found_receiver(iedge) + 1
      next(slot) = next(slot) + 1
      self%neighbor(next(slot)) = self%found_neighbor(iedge)
      self%shift(:, next(slot)) = self%found_shift(:, iedge)
   end do
end subroutine sort_by_receiver


!> Make room for so many edges, growing by half
subroutine reserve(self, needed)
   type(pairs_type), intent(inout) :: self
   integer(i8), intent(in) :: needed
   integer(i4), allocatable :: line(:), table(:, :)
   integer(i8) :: capacity

   if (.not. allocated(self%found_receiver)) then
      allocate(self%found_receiver(needed), self%found_neighbor(needed), self%found_shift(3, needed))
      allocate(self%neighbor(needed), self%shift(3, needed))
      return
   end if
   if (needed <= size(self%found_receiver, kind=i8)) return
   capacity = needed + needed/2
   allocate(line(capacity))
   line(:self%n_edges) = self%found_receiver(:self%n_edges)
   call move_alloc(line, self%found_receiver)
   allocate(line(capacity))
   line(:self%n_edges) = self%found_neighbor(:self%n_edges)
   call move_alloc(line, self%found_neighbor)
   allocate(table(3, capacity))
   table(:, :self%n_edges) = self%found_shift(:, :self%n_edges)
   call move_alloc(table, self%found_shift)
end subroutine reserve

end module fennix_pairs
