! SPDX-License-Identifier: MIT
!> The flat surface, wrapped by f90wrap, for what one rank of many would see; pyfennix/virtual_ranks.py is its face.
!>
!> As in api.f90: a view lives on the heap and is known by its address, everything crosses as a copy.
module fennix_api_virtual
   use, intrinsic :: iso_c_binding, only : c_f_pointer, c_loc
   use fennix_kinds, only : dp, i4, i8
   use fennix_c_interop, only : to_address, to_pointer
   use fennix_cell, only : cell_type
   use fennix_grid, only : grid_type
   use fennix_halo, only : halo_type
   use fennix_pairs, only : pairs_type
   implicit none
   private
   public :: choose_bricks, split_system, see_rank, view_arrays, forget_split

   !> A system cut into bricks, and what the rank that was looked at last sees
   type :: split_type
      type(cell_type) :: cell
      type(grid_type) :: grid
      integer, allocatable :: owner(:)
      integer(i4), allocatable :: number(:)
      real(dp), allocatable :: position(:, :)
      type(halo_type) :: halo
      type(pairs_type) :: pairs
   end type split_type

contains


!> Bricks for so many ranks: box widths (perpendicular) and halo in Å
subroutine choose_bricks(n_ranks, widths, halo, bricks)
   use fennix_grid, only : choose_shape
   integer, intent(in) :: n_ranks
   real(dp), intent(in) :: widths(3)
   real(dp), intent(in) :: halo
   integer, intent(inout) :: bricks(3)

   bricks = choose_shape(n_ranks, widths, halo)
end subroutine choose_bricks


!> Cut a system into bricks; vectors as columns, owned: atoms of each rank; stat /= 0 when there is no such cell
subroutine split_system(n, numbers, positions, vectors, periodic, bricks, n_ranks, owned, handle, stat)
   use fennix_cell, only : new_cell_from_vectors, open_cell
   use fennix_error, only : error_type
   use fennix_grid, only : new_grid
   use fennix_virtual_halo, only : owners_of
   integer, intent(in) :: n
   integer, intent(in) :: numbers(n)
   real(dp), intent(in) :: positions(3, n)
   real(dp), intent(in) :: vectors(3, 3)
   integer, intent(in) :: periodic
   integer, intent(in) :: bricks(3)
   integer, intent(in) :: n_ranks
   integer, intent(inout) :: owned(n_ranks)
   integer(i8), intent(out) :: handle
   integer, intent(out) :: stat
   type(split_type), pointer :: split
   type(error_type), allocatable :: error
   integer :: iat

   handle = 0
   stat = 1
   if (any(bricks < 1) .or. product(bricks) /= n_ranks .or. n < 1) return
   allocate(split)
   split%cell = open_cell()
   if (periodic /= 0) call new_cell_from_vectors(split%cell, vectors, error)
   if (allocated(error)) then
      deallocate(split)
      return
   end if
   call new_grid(split%grid, bricks, split%cell, minval(positions, dim=2), maxval(positions, dim=2))
   split%number = int(numbers, i4)
   split%position = positions
   split%owner = owners_of(split%grid, positions)
   owned = 0
   do iat = 1, n
      owned(split%owner(iat) + 1) = owned(split%owner(iat) + 1) + 1
   end do
   handle = to_address(c_loc(split))
   stat = 0
end subroutine split_system


!> Look at one rank (zero-based). sizes: own atoms, centers, all atoms, pairs, ranks it talks to. Widths in Å as of
!> build_halo; without a cutoff no pairs are found.
subroutine see_rank(handle, rank_index, width, center_width, cutoff, sizes)
   use fennix_pairs, only : build_pairs, new_pairs
   use fennix_virtual_halo, only : build_virtual_halo
   integer(i8), intent(in) :: handle
   integer, intent(in) :: rank_index
   real(dp), intent(in) :: width
   real(dp), intent(in) :: center_width
   real(dp), intent(in) :: cutoff
   integer(i8), intent(inout) :: sizes(5)
   type(split_type), pointer :: split
   integer :: n_peers

   call c_f_pointer(to_pointer(handle), split)
   call build_virtual_halo(split%halo, split%grid, rank_index, split%owner, split%number, split%position, width, &
      & center_width, n_peers)
   call new_pairs(split%pairs, cutoff, 0.0_dp)
   associate (halo => split%halo)
      call build_pairs(split%pairs, split%cell, halo%position(:, :halo%n_total), .not. split%grid%decomposed(), &
         & halo%n_center, halo%by_id)
      sizes = [int(halo%n_local, i8), int(halo%n_center, i8), int(halo%n_total, i8), split%pairs%n_edges, &
         & int(n_peers, i8)]
   end associate
end subroutine see_rank


!> The arrays of the rank that was looked at last, in the sizes of see_rank; zero-based, as of the force seam
subroutine view_arrays(handle, n_center, n_total, n_edges, numbers, positions, first, neighbor, shift)
   integer(i8), intent(in) :: handle
   integer, intent(in) :: n_center
   integer, intent(in) :: n_total
   integer, intent(in) :: n_edges
   integer, intent(inout) :: numbers(n_total)
   real(dp), intent(inout) :: positions(3, n_total)
   integer, intent(inout) :: first(n_center + 1)
   integer, intent(inout) :: neighbor(n_edges)
   integer, intent(inout) :: shift(3, n_edges)
   type(split_type), pointer :: split

   call c_f_pointer(to_pointer(handle), split)
   numbers = split%halo%number(:n_total)
   positions = split%halo%position(:, :n_total)
   first = split%pairs%first
   neighbor = split%pairs%neighbor(:n_edges)
   shift = split%pairs%shift(:, :n_edges)
end subroutine view_arrays


!> Forget a system; its handle is dead afterwards
subroutine forget_split(handle)
   integer(i8), intent(in) :: handle
   type(split_type), pointer :: split

   call c_f_pointer(to_pointer(handle), split)
   deallocate(split)
end subroutine forget_split

end module fennix_api_virtual
