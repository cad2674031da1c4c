! SPDX-License-Identifier: MIT
!> What one rank of many would see, found by a single process: for plans and measurements, by the code of real ranks.
module fennix_virtual_halo
   use fennix_kinds, only : dp, i4
   use fennix_grid, only : brick_of, grid_type, owner_of
   use fennix_halo, only : halo_type
   use fennix_halo_build, only : finish_view, n_row, start_view, unpack_ghosts
   use fennix_neighborhood, only : find_near, fold_atoms, near_type, select_atoms
   implicit none
   private
   public :: owners_of, build_virtual_halo

contains


!> Rank of each atom, (n)
pure function owners_of(grid, position) result(owner)
   type(grid_type), intent(in) :: grid
   !> Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   integer, allocatable :: owner(:)
   integer :: iat

   allocate(owner(size(position, 2)))
   do iat = 1, size(owner)
      owner(iat) = owner_of(grid, position(:, iat))
   end do
end function owners_of


!> The halo of a rank whose neighbours' atoms are all at hand
subroutine build_virtual_halo(self, grid, rank, owner, number, position, width, center_width, n_peers)
   type(halo_type), intent(inout) :: self
   type(grid_type), intent(in) :: grid
   integer, intent(in) :: rank
   !> As of owners_of, (n)
   integer, intent(in) :: owner(:)
   integer(i4), intent(in) :: number(:)
   !> Of the whole system, Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   !> As of build_halo
   real(dp), intent(in) :: width, center_width
   !> Other ranks that it would exchange atoms with
   integer, intent(out) :: n_peers
   type(near_type), allocatable :: near(:)
   integer, allocatable :: mine(:), image(:, :)
   real(dp), allocatable :: fractional(:, :), rows(:)
   logical :: is_peer(0:product(grid%shape) - 1)
   real(dp) :: excursion
   integer :: k

   mine = pack([(k, k=1, size(owner))], owner == rank)
   self%n_local = size(mine)
   allocate(fractional(3, size(mine)), image(3, size(mine)))
   call fold_atoms(grid, brick_of(grid, rank), position(:, mine), fractional, image, excursion)
   call start_view(self, grid, number(mine), int(mine - 1, i4), position(:, mine), image)
   call find_near(grid, rank, width, near)
   is_peer = .false.
   do k = 1, size(near)
      call ghosts_from(grid, rank, near(k), owner, number, position, width, rows)
      call unpack_ghosts(self, rows, size(rows)/n_row)
      if (size(rows) > 0 .and. near(k)%rank /= rank) is_peer(near(k)%rank) = .true.
   end do
   n_peers = count(is_peer)
   call finish_view(self, grid, brick_of(grid, rank), center_width, 0.0_dp)
end subroutine build_virtual_halo


!> What a brick near by sends to a rank, as it does in build_halo
subroutine ghosts_from(grid, rank, near, owner, number, position, width, rows)
   type(grid_type), intent(in) :: grid
   integer, intent(in) :: rank
   !> The brick, as the rank sees it
   type(near_type), intent(in) :: near
   integer, intent(in) :: owner(:)
   integer(i4), intent(in) :: number(:)
   real(dp), intent(in) :: position(:, :), width
   !> n_row numbers for each ghost
   real(dp), allocatable, intent(out) :: rows(:)
   type(near_type) :: us
   integer, allocatable :: theirs(:), chosen(:), image(:, :)
   real(dp), allocatable :: fractional(:, :)
   real(dp) :: excursion
   integer :: i, n

   theirs = pack([(i, i=1, size(owner))], owner == near%rank)
   allocate(fractional(3, size(theirs)), image(3, size(theirs)), chosen(size(theirs)))
   call fold_atoms(grid, near%brick, position(:, theirs), fractional, image, excursion)
   us%brick = brick_of(grid, rank)
   us%image = -near%image
   call select_atoms(grid, us, fractional, width, chosen, n)
   allocate(rows(n_row*n))
   do i = 1, n
      associate (iat => theirs(chosen(i)))
         rows(n_row*(i - 1) + 1:n_row*i) = [real(iat - 1, dp), real(number(iat), dp), position(:, iat) &
            & + matmul(grid%vectors, real(near%image - image(:, chosen(i)), dp))]
      end associate
   end do
end subroutine ghosts_from

end module fennix_virtual_halo
