! SPDX-License-Identifier: MIT
!> Pair lists against a brute-force search over images, and their refresh.
module test_pairs
   use, intrinsic :: ieee_arithmetic, only : ieee_quiet_nan, ieee_value
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type, new_cell_from_vectors, open_cell
   use fennix_pairs, only : build_pairs, expired, new_pairs, pairs_type, set_reference, squared_move
   implicit none
   private
   public :: test_pairs_cubic, test_pairs_triclinic, test_pairs_isolated, test_pairs_narrow, test_pairs_few, &
      & test_pairs_refresh, test_pairs_move, test_pairs_lost, test_pairs_none

contains


!> Box a little wider than the range
subroutine test_pairs_cubic(error)
   type(error_type), allocatable, intent(out) :: error

   call compare(reshape([9.3_dp, 0.0_dp, 0.0_dp, 0.0_dp, 9.3_dp, 0.0_dp, 0.0_dp, 0.0_dp, 9.3_dp], [3, 3]), 60, error)
end subroutine test_pairs_cubic


!> Strongly skewed lattice, given as columns
subroutine test_pairs_triclinic(error)
   type(error_type), allocatable, intent(out) :: error

   call compare(reshape([9.3_dp, 0.0_dp, 0.0_dp, 3.0_dp, 9.3_dp, 0.0_dp, 1.0_dp, -4.0_dp, 9.3_dp], [3, 3]), 60, error)
end subroutine test_pairs_triclinic


!> No cell, one atom far away
subroutine test_pairs_isolated(error)
   type(error_type), allocatable, intent(out) :: error

   call compare(reshape([0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp], [3, 3]), 80, error)
end subroutine test_pairs_isolated


!> Narrower than the range along two axes, so that an atom neighbours its own images
subroutine test_pairs_narrow(error)
   type(error_type), allocatable, intent(out) :: error

   call compare(reshape([3.0_dp, 0.0_dp, 0.0_dp, 0.5_dp, 4.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 40.0_dp], [3, 3]), 20, error)
end subroutine test_pairs_narrow


!> A single atom in a small box has only its images; two isolated atoms one pair
subroutine test_pairs_few(error)
   type(error_type), allocatable, intent(out) :: error

   call compare(reshape([5.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 5.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 5.0_dp], [3, 3]), 1, error)
end subroutine test_pairs_few


!> The list built by us holds exactly the pairs of a triple loop over images, sorted
subroutine compare(vectors, n, error)
   !> Lattice vectors as columns, Å; all zero = isolated
   real(dp), intent(in) :: vectors(3, 3)
   integer, intent(in) :: n
   type(error_type), allocatable, intent(out) :: error
   real(dp), parameter :: cutoff = 6.0_dp, skin = 0.7_dp
   type(cell_type) :: cell
   type(pairs_type) :: pairs
   real(dp) :: position(3, n)
   integer :: iat, expected

   call random_number(position)
   if (any(vectors > 0.0_dp)) then
      call new_cell_from_vectors(cell, vectors, error)
      if (allocated(error)) return
      position = matmul(vectors, 4.0_dp*position - 2.0_dp)
   else
      cell = open_cell()
      position = 15.0_dp*position
      position(:, n) = [300.0_dp, -200.0_dp, 0.0_dp]
   end if
   call new_pairs(pairs, cutoff, skin)
   call build_pairs(pairs, cell, position)
   expected = 0
   do iat = 1, n
      call compare_row(pairs, cell, position, iat, cutoff + skin, expected, error)
      if (allocated(error)) return
   end do
   if (pairs%n_edges /= expected) call fatal_error(error, "pairs are missing or doubled")
end subroutine compare


!> Pairs of one receiver in the order of the contract: neighbour, then shift
subroutine compare_row(pairs, cell, position, iat, range, expected, error)
   type(pairs_type), intent(in) :: pairs
   type(cell_type), intent(in) :: cell
   real(dp), intent(in) :: position(:, :), range
   integer, intent(in) :: iat
   !> Edges counted so far
   integer, intent(inout) :: expected
   type(error_type), allocatable, intent(out) :: error
   integer, parameter :: reach = 13
   integer :: jat, s1, s2, s3, images(3)

   images = merge(reach, 0, cell%periodic)
   do jat = 1, size(position, 2)
      do s1 = -images(1), images(1)
         do s2 = -images(2), images(2)
            do s3 = -images(3), images(3)
               if (iat == jat .and. s1 == 0 .and. s2 == 0 .and. s3 == 0) cycle
               if (norm2(position(:, jat) - position(:, iat) + matmul(cell%vectors, real([s1, s2, s3], dp))) &
                  & >= range) cycle
               expected = expected + 1
               if (pairs%neighbor(expected) /= jat - 1 .or. any(pairs%shift(:, expected) /= [s1, s2, s3])) then
                  call fatal_error(error, "edge " // to_text(expected) // " differs from the search over images")
                  return
               end if
            end do
         end do
      end do
   end do
   if (pairs%first(iat + 1) /= expected) call fatal_error(error, "a row ends in the wrong place")
end subroutine compare_row


!> A list stands until an atom moved by half the skin, the cell changed or atoms changed rank; its version counts the
!> builds
subroutine test_pairs_refresh(error)
   type(error_type), allocatable, intent(out) :: error
   type(cell_type) :: cell, wider
   type(pairs_type) :: pairs
   real(dp) :: position(3, 2)

   position = reshape([0.0_dp, 0.0_dp, 0.0_dp, 1.0_dp, 0.0_dp, 0.0_dp], [3, 2])
   call new_cell_from_vectors(cell, reshape([9.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 9.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, &
      & 9.0_dp], [3, 3]), error)
   if (allocated(error)) return
   call new_pairs(pairs, 3.0_dp, 1.0_dp)
   call expect(cell, .true., "a list that was never built counts as good")
   call build_pairs(pairs, cell, position)
   call set_reference(pairs, cell, position)
   if (pairs%version /= 1_i8 .or. pairs%n_edges /= 2_i8) call fatal_error(error, "one pair makes two directed edges")
   call expect(cell, .false., "a list is renewed without any move")
   position(1, 2) = 1.49_dp
   call expect(cell, .false., "a move within half the skin renews the list")
   position(1, 2) = 1.51_dp
   call expect(cell, .true., "a move beyond half the skin does not renew the list")
   position(1, 2) = 1.0_dp
   wider = cell
   wider%vectors(3, 3) = 9.1_dp
   call expect(wider, .true., "another cell does not renew the list")
   pairs%stale = .true.
   call expect(cell, .true., "atoms that changed rank do not renew the list")
   call build_pairs(pairs, cell, position)
   call expect(cell, .false., "a list that was built anew is still out of date")
   if (pairs%version /= 2_i8) call fatal_error(error, "two builds are not counted as two")
   if (pairs%neighbor(1) /= 1_i4) call fatal_error(error, "the neighbour of the first atom is not the second")

contains

   !> Whether the list may miss a pair in this cell
   subroutine expect(now, wanted, message)
      type(cell_type), intent(in) :: now
      logical, intent(in) :: wanted
      character(len=*), intent(in) :: message
      logical :: found

      if (allocated(error)) return
      call look(pairs, now, position, found, error)
      if (.not. allocated(error) .and. (found .neqv. wanted)) call fatal_error(error, message)
   end subroutine expect

end subroutine test_pairs_refresh


!> What all ranks agree on, for one rank
subroutine look(pairs, cell, position, is_expired, error)
   type(pairs_type), intent(in) :: pairs
   type(cell_type), intent(in) :: cell
   real(dp), intent(in) :: position(:, :)
   logical, intent(out) :: is_expired
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: largest
   integer :: iat

   call squared_move(pairs, cell, position, [(int(iat - 1, i4), iat=1, size(position, 2))], largest, error)
   is_expired = expired(pairs, largest)
end subroutine look


!> The move that counts is that of the atom that moved farthest, and atoms are watched from where the run has them
subroutine test_pairs_move(error)
   type(error_type), allocatable, intent(out) :: error
   type(pairs_type) :: pairs
   real(dp) :: position(3, 3), largest
   integer(i4), parameter :: id(3) = [5_i4, 7_i4, 9_i4]

   position = reshape([0.0_dp, 0.0_dp, 0.0_dp, 50.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, -4.0_dp, 0.0_dp], [3, 3])
   call new_pairs(pairs, 3.0_dp, 1.0_dp)
   call squared_move(pairs, open_cell(), position, id, largest, error)
   if (.not. allocated(error) .and. largest < huge(1.0_dp)) call fatal_error(error, "a list never built has a move")
   if (allocated(error)) return
   ! Ghosts and folded positions are none of its business
   call build_pairs(pairs, open_cell(), reshape([9.0_dp, 9.0_dp, 9.0_dp], [3, 1]))
   call set_reference(pairs, open_cell(), position)
   position(:, 1) = position(:, 1) + [0.1_dp, -0.2_dp, 0.2_dp]
   position(:, 2) = position(:, 2) + [0.3_dp, 0.4_dp, -1.2_dp]
   call squared_move(pairs, open_cell(), position, id, largest, error)
   if (.not. allocated(error) .and. abs(largest - 1.69_dp) > 1.0e-12_dp) then
      call fatal_error(error, "the largest squared move is " // to_text(largest) // " instead of 1.69")
   end if
   if (allocated(error)) return
   call squared_move(pairs, open_cell(), position(:, :0), id(:0), largest, error)
   if (.not. allocated(error) .and. abs(largest) > 0.0_dp) call fatal_error(error, "a rank without atoms has a move")
end subroutine test_pairs_move


!> An atom that is nowhere is an error, not a loop over bins
subroutine test_pairs_lost(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: failure
   type(pairs_type) :: pairs
   real(dp) :: position(3, 2), largest

   position = 0.0_dp
   position(1, 2) = 1.0_dp
   call new_pairs(pairs, 3.0_dp, 1.0_dp)
   call build_pairs(pairs, open_cell(), position)
   call set_reference(pairs, open_cell(), position)
   position(1, 2) = 1.0e9_dp
   call squared_move(pairs, open_cell(), position, [0_i4, 1_i4], largest, failure)
   call expect("atom 2 ")
   call squared_move(pairs, open_cell(), position, [3_i4, 41_i4], largest, failure)
   call expect("atom 42 ")
   position(1, 2) = ieee_value(1.0_dp, ieee_quiet_nan)
   call squared_move(pairs, open_cell(), position, [3_i4, 41_i4], largest, failure)
   call expect("atom 42 ")

contains

   subroutine expect(name)
      character(len=*), intent(in) :: name

      if (.not. allocated(failure)) then
         call fatal_error(error, "an atom that flew away is not an error")
      else if (index(failure%message, name) == 0) then
         call fatal_error(error, "the message does not name the atom: " // failure%message)
      end if
   end subroutine expect

end subroutine test_pairs_lost


!> A cutoff of zero makes an empty list, whatever the skin; it still knows where it was built
subroutine test_pairs_none(error)
   type(error_type), allocatable, intent(out) :: error
   type(pairs_type) :: pairs
   real(dp) :: position(3, 2)
   logical :: is_expired

   position = reshape([0.0_dp, 0.0_dp, 0.0_dp, 0.5_dp, 0.0_dp, 0.0_dp], [3, 2])
   call new_pairs(pairs, 0.0_dp, 1.0_dp)
   call build_pairs(pairs, open_cell(), position)
   call set_reference(pairs, open_cell(), position)
   if (pairs%n_edges /= 0_i8 .or. any(pairs%first /= 0_i4) .or. size(pairs%first) /= 3) then
      call fatal_error(error, "a list without a cutoff is not empty")
   end if
   if (pairs%version /= 1_i8) call fatal_error(error, "building an empty list is not counted")
   if (allocated(error)) return
   call look(pairs, open_cell(), position, is_expired, error)
   if (.not. allocated(error) .and. is_expired) call fatal_error(error, "an empty list is renewed without any move")
   if (allocated(error)) return
   position(1, 2) = 2.0_dp
   call look(pairs, open_cell(), position, is_expired, error)
   if (.not. allocated(error) .and. .not. is_expired) call fatal_error(error, "a far move does not renew an empty list")
end subroutine test_pairs_none

end module test_pairs
