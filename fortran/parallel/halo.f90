! SPDX-License-Identifier: MIT
!> What a rank sees of a system at one level: its own atoms, ghosts around them, and with whom they are exchanged.
module fennix_halo
   use fennix_kinds, only : dp, i4, i8
   use fennix_comm, only : comm_type, sends_type
   implicit none
   private
   public :: halo_type, peer_type, grow, ensure_buffers, ensure_word_buffers
   public :: tag_ghosts, tag_positions, tag_forces, tag_features, tag_gradients, tag_failed, tag_atoms

   !> What a message holds. Between two ranks messages keep their order, and the last one of an evaluation is always
   !> of forces or tag_failed, so that a rank in trouble can tell the others without knowing where they are
   integer, parameter :: tag_ghosts = 1, tag_positions = 2, tag_forces = 3, tag_features = 4, tag_gradients = 5, &
      & tag_failed = 6, tag_atoms = 7

   !> Messages with one rank; lists are sections of those of the halo
   type :: peer_type
      !> Rank; may be our own, which sees images of its own atoms
      integer :: rank = 0
      !> Own atoms sent are send_atom(send_first+1 : send_first+n_send), ghosts received ghost(recv_first+1 : ...)
      integer :: send_first = 0, n_send = 0, recv_first = 0, n_recv = 0
   end type peer_type

   type :: halo_type
      type(comm_type) :: comm
      !> Own atoms; atoms whose neighbours are listed; own atoms and ghosts. Ghosts are sorted by their distance
      integer :: n_local = 0, n_center = 0, n_total = 0
      !> In the order of ranks, those without atoms to exchange left out
      integer :: n_peers = 0
      type(peer_type), allocatable :: peer(:)
      !> Own atoms to be sent, and what is added to their position, Å, (3, n)
      integer, allocatable :: send_atom(:)
      real(dp), allocatable :: send_shift(:, :)
      !> Place of each received atom among all atoms
      integer, allocatable :: ghost(:)
      !> Atomic numbers, global ids (zero-based), positions in Å; own atoms first, at least n_total long
      integer(i4), allocatable :: number(:), id(:)
      real(dp), allocatable :: position(:, :)
      !> Forces on all atoms, kcal/mol/Å, as the provider returns them
      real(dp), allocatable :: forces(:, :)
      !> Lattice vectors taken off the positions of own atoms, Å, (3, n_local)
      real(dp), allocatable :: fold(:, :)
      !> Indices of all atoms by ascending global id, (n_total)
      integer, allocatable :: by_id(:)
      !> Another rank failed during this evaluation
      logical :: peer_failed = .false.
      !> Clock ticks and number of exchanges of features since they were last read
      integer(i8) :: exchange_ticks = 0
      integer :: n_exchanges = 0
      !> Messages; kept between calls
      type(sends_type) :: sends
      real(dp), allocatable :: outgoing(:), incoming(:)
      integer(i4), allocatable :: outgoing_words(:), incoming_words(:)
   end type halo_type

   !> A longer array with the same beginning
   interface grow
      module procedure :: grow_real
      module procedure :: grow_int
      module procedure :: grow_rows
   end interface grow

contains


!> Room for messages of so many numbers; what the buffers held is lost
subroutine ensure_buffers(self, n_out, n_in)
   type(halo_type), intent(inout) :: self
   integer, intent(in) :: n_out, n_in

   if (.not. allocated(self%outgoing)) allocate(self%outgoing(n_out), self%incoming(n_in))
   if (size(self%outgoing) < n_out) then
      deallocate(self%outgoing)
      allocate(self%outgoing(n_out + n_out/4))
   end if
   if (size(self%incoming) < n_in) then
      deallocate(self%incoming)
      allocate(self%incoming(n_in + n_in/4))
   end if
end subroutine ensure_buffers


!> The same for features
subroutine ensure_word_buffers(self, n_out, n_in)
   type(halo_type), intent(inout) :: self
   !> Words of four bytes
   integer, intent(in) :: n_out, n_in

   if (.not. allocated(self%outgoing_words)) allocate(self%outgoing_words(n_out), self%incoming_words(n_in))
   if (size(self%outgoing_words) < n_out) then
      deallocate(self%outgoing_words)
      allocate(self%outgoing_words(n_out + n_out/4))
   end if
   if (size(self%incoming_words) < n_in) then
      deallocate(self%incoming_words)
      allocate(self%incoming_words(n_in + n_in/4))
   end if
end subroutine ensure_word_buffers


pure subroutine grow_real(values, n)
   real(dp), allocatable, intent(inout) :: values(:)
   !> Elements needed
   integer, intent(in) :: n
   real(dp), allocatable :: longer(:)

   if (.not. allocated(values)) allocate(values(n))
   if (size(values) >= n) return
   allocate(longer(n + n/2))
   longer(:size(values)) = values
   call move_alloc(longer, values)
end subroutine grow_real


pure subroutine grow_int(values, n)
   integer, allocatable, intent(inout) :: values(:)
   integer, intent(in) :: n
   integer, allocatable :: longer(:)

   if (.not. allocated(values)) allocate(values(n))
   if (size(values) >= n) return
   allocate(longer(n + n/2))
   longer(:size(values)) = values
   call move_alloc(longer, values)
end subroutine grow_int


pure subroutine grow_rows(values, n)
   real(dp), allocatable, intent(inout) :: values(:, :)
   integer, intent(in) :: n
   real(dp), allocatable :: longer(:, :)

   if (.not. allocated(values)) allocate(values(3, n))
   if (size(values, 2) >= n) return
   allocate(longer(3, n + n/2))
   longer(:, :size(values, 2)) = values
   call move_alloc(longer, values)
end subroutine grow_rows

end module fennix_halo
