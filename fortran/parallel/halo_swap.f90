! SPDX-License-Identifier: MIT
!> What travels through a halo at every evaluation: positions out to the ghosts, forces back to their owners.
module fennix_halo_swap
   use fennix_kinds, only : dp, i4
   use fennix_comm, only : next_message, post_send, receive, wait_sends
   use fennix_halo, only : ensure_buffers, halo_type, tag_failed, tag_forces, tag_positions
   implicit none
   private
   public :: refresh_positions, return_forces

contains


!> Own positions into the view, and on to those who see them as ghosts
subroutine refresh_positions(self, position)
   type(halo_type), intent(inout) :: self
   !> Of own atoms, Å, (3, n_local)
   real(dp), intent(in) :: position(:, :)
   integer :: k, slot, tag, words

   self%position(:, :self%n_local) = position - self%fold
   self%peer_failed = .false.
   if (self%n_peers == 0) return
   call ensure_buffers(self, 3*sum(self%peer(:self%n_peers)%n_send), 3*maxval(self%peer(:self%n_peers)%n_recv))
   do k = 1, self%n_peers
      associate (peer => self%peer(k))
         do slot = peer%send_first + 1, peer%send_first + peer%n_send
            self%outgoing(3*slot - 2:3*slot) = self%position(:, self%send_atom(slot)) + self%send_shift(:, slot)
         end do
         if (peer%rank /= self%comm%rank) call post_send(self%comm, self%sends, &
            & self%outgoing(3*peer%send_first + 1:), 3*peer%n_send, peer%rank, tag_positions)
      end associate
   end do
   do k = 1, self%n_peers
      associate (peer => self%peer(k))
         if (peer%rank == self%comm%rank) then
            call place_ghosts(self, k, self%outgoing(3*peer%send_first + 1:))
         else
            call next_message(self%comm, peer%rank, tag, words)
            call receive(self%comm, self%incoming, 3*peer%n_recv, peer%rank, tag)
            call place_ghosts(self, k, self%incoming)
         end if
      end associate
   end do
   call wait_sends(self%sends)
end subroutine refresh_positions


!> Positions of the ghosts of one peer
subroutine place_ghosts(self, k, rows)
   type(halo_type), intent(inout) :: self
   integer, intent(in) :: k
   real(dp), intent(in) :: rows(:)
   integer :: i

   do i = 1, self%peer(k)%n_recv
      self%position(:, self%ghost(self%peer(k)%recv_first + i)) = rows(3*i - 2:3*i)
   end do
end subroutine place_ghosts


!> Forces on ghosts home to their owners, which ends an evaluation on every rank. A rank that failed sends a word
!> instead; what others sent it in exchanges that it did not reach is taken off the wire.
subroutine return_forces(self, succeeded, forces)
   type(halo_type), intent(inout) :: self
   logical, intent(in) :: succeeded
   !> Forces on own atoms, kcal/mol/Å, (3, n_local)
   real(dp), intent(inout) :: forces(:, :)
   integer :: k

   forces = self%forces(:, :self%n_local)
   if (self%n_peers == 0) return
   if (succeeded) call ensure_buffers(self, 3*(self%n_total - self%n_local), &
      & 3*maxval(self%peer(:self%n_peers)%n_send))
   do k = 1, self%n_peers
      if (self%peer(k)%rank /= self%comm%rank) call send_back(self, k, succeeded)
   end do
   do k = 1, self%n_peers
      if (self%peer(k)%rank == self%comm%rank) then
         if (succeeded) call add_own_images(self, k, forces)
      else
         call take_back(self, k, forces)
      end if
   end do
   call wait_sends(self%sends)
end subroutine return_forces


!> Send the forces on a peer's atoms, or the word that there are none
subroutine send_back(self, k, succeeded)
   type(halo_type), intent(inout) :: self
   integer, intent(in) :: k
   logical, intent(in) :: succeeded
   real(dp) :: nothing(0)
   integer :: i

   associate (peer => self%peer(k))
      if (.not. succeeded) then
         call post_send(self%comm, self%sends, nothing, 0, peer%rank, tag_failed)
         return
      end if
      do i = peer%recv_first + 1, peer%recv_first + peer%n_recv
         self%outgoing(3*i - 2:3*i) = self%forces(:, self%ghost(i))
      end do
      call post_send(self%comm, self%sends, self%outgoing(3*peer%recv_first + 1:), 3*peer%n_recv, peer%rank, tag_forces)
   end associate
end subroutine send_back


!> Receive until a peer's evaluation has ended
subroutine take_back(self, k, forces)
   type(halo_type), intent(inout) :: self
   integer, intent(in) :: k
   real(dp), intent(inout) :: forces(:, :)
   real(dp) :: nothing(0)
   integer :: i, tag, words

   associate (peer => self%peer(k))
      do
         call next_message(self%comm, peer%rank, tag, words)
         select case (tag)
         case (tag_forces)
            call ensure_buffers(self, 0, 3*peer%n_send)
            call receive(self%comm, self%incoming, 3*peer%n_send, peer%rank, tag)
            do i = 1, peer%n_send
               associate (iat => self%send_atom(peer%send_first + i))
                  forces(:, iat) = forces(:, iat) + self%incoming(3*i - 2:3*i)
               end associate
            end do
            return
         case (tag_failed)
            call receive(self%comm, nothing, 0, peer%rank, tag)
            self%peer_failed = .true.
            return
         case default
            ! Of an exchange that this rank did not take part in
            call discard(self, words, peer%rank, tag)
            self%peer_failed = .true.
         end select
      end do
   end associate
end subroutine take_back


!> Take a message of features off the wire
subroutine discard(self, words, from, tag)
   type(halo_type), intent(in) :: self
   integer, intent(in) :: words, from, tag
   integer(i4), allocatable :: unread(:)

   allocate(unread(words))
   call receive(self%comm, unread, words, from, tag)
end subroutine discard


!> Forces on images of own atoms
subroutine add_own_images(self, k, forces)
   type(halo_type), intent(in) :: self
   integer, intent(in) :: k
   real(dp), intent(inout) :: forces(:, :)
   integer :: i, iat

   associate (peer => self%peer(k))
      do i = 1, peer%n_send
         iat = self%send_atom(peer%send_first + i)
         forces(:, iat) = forces(:, iat) + self%forces(:, self%ghost(peer%recv_first + i))
      end do
   end associate
end subroutine add_own_images

end module fennix_halo_swap
