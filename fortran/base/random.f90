! SPDX-License-Identifier: MIT
!> Counter-based random numbers: no state, the same for any number of ranks or substeps.
!>
!> Philox 4x32-10 of Salmon, Moraes, Dror and Shaw, SC'11, doi:10.1145/2063384.2063405.
!> Key: the seed. Counter: (inner step, global atom id, purpose and block).
module fennix_random
   use fennix_kinds, only : dp, i4, i8
   implicit none
   private
   public :: philox, normal3, mix_seed, purpose_langevin, purpose_velocity

   !> What a number is for; different purposes never share a counter
   integer(i8), parameter :: purpose_langevin = 1_i8, purpose_velocity = 2_i8

   integer(i8), parameter :: mask32 = int(z'FFFFFFFF', i8), mask16 = int(z'FFFF', i8)
   integer(i8), parameter :: multiplier(2) = [int(z'D2511F53', i8), int(z'CD9E8D57', i8)]
   integer(i8), parameter :: weyl(2) = [int(z'9E3779B9', i8), int(z'BB67AE85', i8)]
   integer, parameter :: n_rounds = 10
   real(dp), parameter :: two_pi = 2.0_dp*acos(-1.0_dp)
   real(dp), parameter :: two_to_minus_53 = 2.0_dp**(-53)

contains


!> The Philox 4x32-10 bijection; 32-bit words are held in the low half of 64-bit integers
pure function philox(counter, key) result(word)
   !> Four unsigned 32-bit words
   integer(i8), intent(in) :: counter(4)
   !> Two unsigned 32-bit words
   integer(i8), intent(in) :: key(2)
   integer(i8) :: word(4)
   integer(i8) :: round_key(2), high(2), low(2)
   integer :: iround

   word = counter
   round_key = key
   do iround = 1, n_rounds
      call multiply(multiplier(1), word(1), high(1), low(1))
      call multiply(multiplier(2), word(3), high(2), low(2))
      word = [ieor(ieor(high(2), word(2)), round_key(1)), low(2), &
         & ieor(ieor(high(1), word(4)), round_key(2)), low(1)]
      round_key = iand(round_key + weyl, mask32)
   end do
end function philox


!> 32 x 32 -> 64 bit product in two halves, without signed overflow
elemental subroutine multiply(a, b, high, low)
   integer(i8), intent(in) :: a, b
   integer(i8), intent(out) :: high, low
   integer(i8) :: bottom, top

   bottom = a*iand(b, mask16)
   top = a*shiftr(b, 16) + shiftr(bottom, 16)
   high = shiftr(top, 16)
   low = ior(shiftl(iand(top, mask16), 16), iand(bottom, mask16))
end subroutine multiply


!> Three independent standard normal numbers of one atom at one inner step
pure function normal3(seed, inner_step, id, purpose) result(normal)
   integer(i8), intent(in) :: seed
   !> Absolute index of the inner step
   integer(i8), intent(in) :: inner_step
   !> Global id of the atom, zero-based
   integer(i4), intent(in) :: id
   !> One of purpose_*
   integer(i8), intent(in) :: purpose
   real(dp) :: normal(3)
   integer(i8) :: counter(4), key(2), word(4)
   real(dp) :: pair(2)

   key = [iand(seed, mask32), iand(shiftr(seed, 32), mask32)]
   counter = [iand(inner_step, mask32), iand(shiftr(inner_step, 32), mask32), int(id, i8), shiftl(purpose, 8)]
   word = philox(counter, key)
   normal(1:2) = box_muller(word)
   counter(4) = counter(4) + 1
   word = philox(counter, key)
   pair = box_muller(word)
   normal(3) = pair(1)
end function normal3


!> Two normals from four 32-bit words; uniforms lie in (0, 1]
pure function box_muller(word) result(normal)
   integer(i8), intent(in) :: word(4)
   real(dp) :: normal(2)
   real(dp) :: uniform(2), radius

   uniform(1) = real(ior(shiftl(shiftr(word(1), 5), 26), shiftr(word(2), 6)) + 1, dp)*two_to_minus_53
   uniform(2) = real(ior(shiftl(shiftr(word(3), 5), 26), shiftr(word(4), 6)) + 1, dp)*two_to_minus_53
   radius = sqrt(-2.0_dp*log(uniform(1)))
   normal = radius*[cos(two_pi*uniform(2)), sin(two_pi*uniform(2))]
end function box_muller


!> A new seed from a seed and a nonce, for runs that do not know how far their stream was used
pure function mix_seed(seed, nonce) result(mixed)
   integer(i8), intent(in) :: seed, nonce
   integer(i8) :: mixed
   integer(i8) :: word(4)

   word = philox([iand(nonce, mask32), iand(shiftr(nonce, 32), mask32), 0_i8, 0_i8], &
      & [iand(seed, mask32), iand(shiftr(seed, 32), mask32)])
   mixed = ior(shiftl(iand(word(1), shiftr(mask32, 1)), 32), word(2))
end function mix_seed

end module fennix_random
