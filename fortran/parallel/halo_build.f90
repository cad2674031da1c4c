! SPDX-License-Identifier: MIT
!> Builds a halo: who needs which atoms, and the ghosts as they arrive.
module fennix_halo_build
   use fennix_kinds, only : dp, i4
   use fennix_comm, only : comm_type, max_all, next_message, post_send, receive, wait_sends
   use fennix_sort, only : sorting_order
   use fennix_grid, only : brick_of, gap_of, grid_type
   use fennix_halo, only : ensure_buffers, grow, halo_type, tag_ghosts
   use fennix_neighborhood, only : find_near, fold_atoms, near_type, select_atoms
   implicit none
   private
   public :: build_halo, start_view, unpack_ghosts, finish_view, n_row

   !> Numbers that a ghost arrives with: id, atomic number, position
   integer, parameter :: n_row = 5

contains


!> Find the ghosts anew; all ranks call this together. Ownership may be out of date: bricks are taken wider by as
!> much as the farthest atom lies outside the brick of its owner.
subroutine build_halo(self, comm, grid, number, id, position, width, center_width)
   type(halo_type), intent(inout) :: self
   type(comm_type), intent(in) :: comm
   type(grid_type), intent(in) :: grid
   !> Of own atoms: atomic numbers, global ids (n), positions in Å (3, n)
   integer(i4), intent(in) :: number(:), id(:)
   real(dp), intent(in) :: position(:, :)
   !> How far ghosts are needed, and how far their own neighbours are (negative: not at all), Å
   real(dp), intent(in) :: width, center_width
   type(near_type), allocatable :: near(:)
   real(dp), allocatable :: fractional(:, :)
   integer, allocatable :: image(:, :)
   real(dp) :: excursion(1)
   integer :: brick(3)

   self%comm = comm
   self%n_local = size(number)
   brick = brick_of(grid, comm%rank)
   allocate(fractional(3, self%n_local), image(3, self%n_local))
   call fold_atoms(grid, brick, position, fractional, image, excursion(1))
   call max_all(comm, excursion)
   call start_view(self, grid, number, id, position, image)
   call find_near(grid, comm%rank, width + 2.0_dp*excursion(1), near)
   call choose_sends(self, grid, near, fractional, width + excursion(1))
   call receive_ghosts(self)
   call finish_view(self, grid, brick, center_width, excursion(1))
end subroutine build_halo


!> Ghosts by their distance, centers, and the order of ids
subroutine finish_view(self, grid, brick, center_width, excursion)
   type(halo_type), intent(inout) :: self
   type(grid_type), intent(in) :: grid
   integer, intent(in) :: brick(3)
   real(dp), intent(in) :: center_width, excursion
   real(dp), allocatable :: gap(:)
   integer :: iat

   allocate(gap(self%n_total - self%n_local))
   do iat = self%n_local + 1, self%n_total
      gap(iat - self%n_local) = gap_of(grid, brick, matmul(grid%inverse, self%position(:, iat) - grid%origin))
   end do
   call sort_ghosts(self, gap)
   self%n_center = self%n_local
   if (center_width >= 0.0_dp) self%n_center = self%n_local + count(gap <= center_width + excursion)
   self%by_id = sorting_order(real(self%id(:self%n_total), dp))
end subroutine finish_view


!> Own atoms at the beginning of the arrays
subroutine start_view(self, grid, number, id, position, image)
   type(halo_type), intent(inout) :: self
   type(grid_type), intent(in) :: grid
   integer(i4), intent(in) :: number(:), id(:)
   real(dp), intent(in) :: position(:, :)
   integer, intent(in) :: image(:, :)

   self%n_total = self%n_local
   call reserve_view(self, self%n_local)
   self%fold = matmul(grid%vectors, real(image, dp))
   self%number(:self%n_local) = number
   self%id(:self%n_local) = id
   self%position(:, :self%n_local) = position - self%fold
end subroutine start_view


!> Room for n atoms; what is there stays
subroutine reserve_view(self, n)
   type(halo_type), intent(inout) :: self
   integer, intent(in) :: n

   call grow(self%number, n)
   call grow(self%id, n)
   call grow(self%position, n)
   call grow(self%forces, n)
end subroutine reserve_view


!> For each rank near by the atoms it needs, and the shifts that put them where it sees them
subroutine choose_sends(self, grid, near, fractional, reach)
   type(halo_type), intent(inout) :: self
   type(grid_type), intent(in) :: grid
   type(near_type), intent(in) :: near(:)
   real(dp), intent(in) :: fractional(:, :), reach
   integer :: chosen(self%n_local), k, n, n_sent, iat

   if (allocated(self%peer)) deallocate(self%peer)
   allocate(self%peer(size(near)))
   self%n_peers = 0
   n_sent = 0
   call grow(self%send_atom, self%n_local)
   call grow(self%send_shift, self%n_local)
   do k = 1, size(near)
      if (self%n_peers > 0) then
         if (self%peer(self%n_peers)%rank /= near(k)%rank) self%n_peers = self%n_peers + 1
      else
         self%n_peers = 1
      end if
      call select_atoms(grid, near(k), fractional, reach, chosen, n)
      call grow(self%send_atom, n_sent + n)
      call grow(self%send_shift, n_sent + n)
      associate (peer => self%peer(self%n_peers))
         if (peer%n_send == 0) peer%send_first = n_sent
         peer%rank = near(k)%rank
         peer%n_send = peer%n_send + n
      end associate
      do iat = 1, n
         self%send_atom(n_sent + iat) = chosen(iat)
         self%send_shift(:, n_sent + iat) = -matmul(grid%vectors, real(near(k)%image, dp))
      end do
      n_sent = n_sent + n
   end do
end subroutine choose_sends


!> Exchange ids, numbers and positions; peers with nothing either way are dropped, by both sides
subroutine receive_ghosts(self)
   type(halo_type), intent(inout) :: self
   integer :: k, n_sent, tag, words, kept

   n_sent = 0
   if (self%n_peers > 0) n_sent = sum(self%peer(:self%n_peers)%n_send)
   call ensure_buffers(self, n_row*n_sent, 0)
   call pack_ghosts(self)
   do k = 1, self%n_peers
      associate (peer => self%peer(k))
         if (peer%rank /= self%comm%rank) call post_send(self%comm, self%sends, &
            & self%outgoing(n_row*peer%send_first + 1:), n_row*peer%n_send, peer%rank, tag_ghosts)
      end associate
   end do
   kept = 0
   do k = 1, self%n_peers
      associate (peer => self%peer(k))
         peer%recv_first = self%n_total - self%n_local
         if (peer%rank == self%comm%rank) then
            peer%n_recv = peer%n_send
            call unpack_ghosts(self, self%outgoing(n_row*peer%send_first + 1:), peer%n_recv)
         else
            call next_message(self%comm, peer%rank, tag, words)
            peer%n_recv = words/2/n_row
            call ensure_buffers(self, 0, n_row*peer%n_recv)
            call receive(self%comm, self%incoming, n_row*peer%n_recv, peer%rank, tag)
            call unpack_ghosts(self, self%incoming, peer%n_recv)
         end if
         if (peer%n_send + peer%n_recv == 0) cycle
         kept = kept + 1
         self%peer(kept) = peer
      end associate
   end do
   self%n_peers = kept
   call wait_sends(self%sends)
end subroutine receive_ghosts


!> A row for each atom that is sent
subroutine pack_ghosts(self)
   type(halo_type), intent(inout) :: self
   integer :: k, slot, iat, at

   do k = 1, self%n_peers
      do slot = self%peer(k)%send_first + 1, self%peer(k)%send_first + self%peer(k)%n_send
         iat = self%send_atom(slot)
         at = n_row*(slot - 1)
         self%outgoing(at + 1:at + n_row) = [real(self%id(iat), dp), real(self%number(iat), dp), &
            & self%position(:, iat) + self%send_shift(:, slot)]
      end do
   end do
end subroutine pack_ghosts


!> Add n ghosts
subroutine unpack_ghosts(self, rows, n)
   type(halo_type), intent(inout) :: self
   real(dp), intent(in) :: rows(:)
   integer, intent(in) :: n
   integer :: iat, at

   call reserve_view(self, self%n_total + n)
   do iat = 1, n
      at = n_row*(iat - 1)
      self%id(self%n_total + iat) = nint(rows(at + 1), i4)
      self%number(self%n_total + iat) = nint(rows(at + 2), i4)
      self%position(:, self%n_total + iat) = rows(at + 3:at + 5)
   end do
   self%n_total = self%n_total + n
end subroutine unpack_ghosts


!> Nearest ghosts first, so that what only they need is a beginning of the arrays
subroutine sort_ghosts(self, gap)
   type(halo_type), intent(inout) :: self
   !> Distance of each ghost from the own brick as they arrived; sorted on return, Å
   real(dp), intent(inout) :: gap(:)
   integer :: order(size(gap)), k

   order = sorting_order(gap)
   gap = gap(order)
   call grow(self%ghost, size(gap))
   do k = 1, size(gap)
      self%ghost(order(k)) = self%n_local + k
   end do
   self%id(self%n_local + 1:self%n_total) = self%id(self%n_local + order)
   self%number(self%n_local + 1:self%n_total) = self%number(self%n_local + order)
   self%position(:, self%n_local + 1:self%n_total) = self%position(:, self%n_local + order)
end subroutine sort_ghosts

end module fennix_halo_build
