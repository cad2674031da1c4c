! SPDX-License-Identifier: MIT
!> The exchange of features in the middle of an evaluation, as the force seam offers it to a model.
module fennix_halo_exchange
   use, intrinsic :: iso_c_binding, only : c_double, c_f_pointer, c_float, c_int, c_loc, c_ptr
   use fennix_kinds, only : i4, i8
   use fennix_comm, only : next_message, post_send, receive, wait_sends
   use fennix_halo, only : ensure_word_buffers, halo_type, peer_type, tag_features, tag_gradients
   implicit none
   private
   public :: exchange_features
   public :: exchange_forward, exchange_backward, exchange_double, exchange_single

   !> Directions: owners to ghosts, or ghosts added to owners, after which their rows are zero
   integer(c_int), parameter :: exchange_forward = 0, exchange_backward = 1
   !> Kinds of numbers in the buffer
   integer(c_int), parameter :: exchange_double = 0, exchange_single = 1
   !> Words of four bytes in a number of each kind
   integer, parameter :: item_words(0:1) = [2, 1]

contains


!> Exchange rows of features. 0 = done, 1 = another rank has ended its evaluation, so that this one must end too,
!> 2 = the arguments are wrong.
function exchange_features(context, direction, width, type, buffer) bind(c) result(status)
   !> Address of the halo
   type(c_ptr), value :: context
   !> exchange_forward or exchange_backward
   integer(c_int), value :: direction
   !> Numbers in a row
   integer(c_int), value :: width
   !> exchange_double or exchange_single
   integer(c_int), value :: type
   !> (n_total, width) in C order, changed in place
   type(c_ptr), value :: buffer
   integer(c_int) :: status
   type(halo_type), pointer :: halo
   integer(i4), pointer :: rows(:, :)
   integer(i8) :: begin, end

   status = 2
   if (width < 0 .or. direction < exchange_forward .or. direction > exchange_backward) return
   if (type < exchange_double .or. type > exchange_single) return
   call c_f_pointer(context, halo)
   ! What an exchange that failed has sent is still under way
   status = 1
   if (halo%peer_failed) return
   call system_clock(begin)
   call c_f_pointer(buffer, rows, [int(width)*item_words(type), halo%n_total])
   call exchange_rows(halo, direction == exchange_backward, rows, int(type), status)
   if (status /= 0) halo%peer_failed = .true.
   call system_clock(end)
   halo%exchange_ticks = halo%exchange_ticks + end - begin
   halo%n_exchanges = halo%n_exchanges + 1
end function exchange_features


!> Rows travel as words; only where they are added does their kind matter
subroutine exchange_rows(self, backward, rows, type, status)
   type(halo_type), intent(inout), target :: self
   logical, intent(in) :: backward
   !> (words of a row, n_total)
   integer(i4), intent(inout), contiguous, target :: rows(:, :)
   integer, intent(in) :: type
   integer(c_int), intent(out) :: status
   integer(i4), pointer, contiguous :: arrived(:, :)
   integer, pointer :: out(:), in(:)
   integer :: k, width, wanted, tag, words

   status = 0
   width = size(rows, 1)
   wanted = merge(tag_gradients, tag_features, backward)
   call send_rows(self, backward, rows, wanted)
   do k = 1, self%n_peers
      if (self%peer(k)%rank /= self%comm%rank) cycle
      call atoms_of(self, k, backward, out, in)
      call place_rows(backward, rows(:, out), in, rows, type)
   end do
   if (backward) rows(:, self%n_local + 1:) = 0_i4
   do k = 1, self%n_peers
      if (self%peer(k)%rank == self%comm%rank) cycle
      call atoms_of(self, k, backward, out, in)
      call next_message(self%comm, self%peer(k)%rank, tag, words)
      if (tag /= wanted .or. words /= width*size(in)) then
         ! It stays on the wire, as do our own sends, until the end of this evaluation
         status = 1
         return
      end if
      call receive(self%comm, self%incoming_words, words, self%peer(k)%rank, tag)
      arrived(1:width, 1:size(in)) => self%incoming_words(:width*size(in))
      call place_rows(backward, arrived, in, rows, type)
   end do
   call wait_sends(self%sends)
end subroutine exchange_rows


!> Pack and send to all peers but ourselves
subroutine send_rows(self, backward, rows, tag)
   type(halo_type), intent(inout), target :: self
   logical, intent(in) :: backward
   integer(i4), intent(in) :: rows(:, :)
   integer, intent(in) :: tag
   integer, pointer :: out(:), in(:)
   integer :: k, i, at, width, n_out, n_in

   width = size(rows, 1)
   n_out = 0
   n_in = 0
   do k = 1, self%n_peers
      call atoms_of(self, k, backward, out, in)
      n_out = n_out + size(out)
      n_in = max(n_in, size(in))
   end do
   call ensure_word_buffers(self, width*n_out, width*n_in)
   at = 0
   do k = 1, self%n_peers
      if (self%peer(k)%rank == self%comm%rank) cycle
      call atoms_of(self, k, backward, out, in)
      do i = 1, size(out)
         self%outgoing_words(at + width*(i - 1) + 1:at + width*i) = rows(:, out(i))
      end do
      call post_send(self%comm, self%sends, self%outgoing_words(at + 1:), width*size(out), self%peer(k)%rank, tag)
      at = at + width*size(out)
   end do
end subroutine send_rows


!> Atoms whose rows go to a peer in this direction, and those whose rows come from it; sections of the halo's own lists
subroutine atoms_of(self, k, backward, out, in)
   type(halo_type), intent(in), target :: self
   integer, intent(in) :: k
   logical, intent(in) :: backward
   integer, pointer, intent(out) :: out(:), in(:)
   integer, pointer :: own(:), ghosts(:)

   associate (peer => self%peer(k))
      own => self%send_atom(peer%send_first + 1:peer%send_first + peer%n_send)
      ghosts => self%ghost(peer%recv_first + 1:peer%recv_first + peer%n_recv)
   end associate
   out => own
   in => ghosts
   if (.not. backward) return
   out => ghosts
   in => own
end subroutine atoms_of


!> Rows that came: put in place, or added
subroutine place_rows(backward, arrived, atoms, rows, type)
   logical, intent(in) :: backward
   !> (words of a row, n)
   integer(i4), intent(in), contiguous, target :: arrived(:, :)
   !> (n)
   integer, intent(in) :: atoms(:)
   integer(i4), intent(inout), contiguous, target :: rows(:, :)
   integer, intent(in) :: type
   real(c_double), pointer :: new_double(:, :), all_double(:, :)
   real(c_float), pointer :: new_single(:, :), all_single(:, :)
   integer :: i, width

   if (size(arrived) == 0) return
   width = size(rows, 1)/item_words(type)
   if (.not. backward) then
      do i = 1, size(atoms)
         rows(:, atoms(i)) = arrived(:, i)
      end do
   else if (type == exchange_double) then
      call c_f_pointer(c_loc(arrived), new_double, [width, size(atoms)])
      call c_f_pointer(c_loc(rows), all_double, [width, size(rows, 2)])
      do i = 1, size(atoms)
         all_double(:, atoms(i)) = all_double(:, atoms(i)) + new_double(:, i)
      end do
   else
      call c_f_pointer(c_loc(arrived), new_single, [width, size(atoms)])
      call c_f_pointer(c_loc(rows), all_single, [width, size(rows, 2)])
      do i = 1, size(atoms)
         all_single(:, atoms(i)) = all_single(:, atoms(i)) + new_single(:, i)
      end do
   end if
end subroutine place_rows

end module fennix_halo_exchange
